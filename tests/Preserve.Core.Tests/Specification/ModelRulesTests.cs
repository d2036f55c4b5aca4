namespace Preserve.Core.Tests;

public class ModelRulesTests
{
    public static TheoryData<string, ModelSpec, SpecificationPlace> Faulty => new()
    {
        { "Hidden", SampleSpecs.Model with { Hidden = 0 }, new ModelPlace("Hidden") },
        { "Vocabulary", SampleSpecs.Model with { Vocabulary = -1 }, new ModelPlace("Vocabulary") },
        { "MaxPositions", SampleSpecs.Model with { MaxPositions = 0 }, new ModelPlace("MaxPositions") },
        { "FinalNorm", SampleSpecs.Model with { FinalNorm = (Norm)5 }, new ModelPlace("FinalNorm") },
        { "no layers", SampleSpecs.Model with { Stack = default }, new ModelPlace("Stack") },
        { "no pattern", SampleSpecs.With(), new GroupPlace(0, "Pattern") },
        { "Repeat", SampleSpecs.Model with { Stack = new[] { new LayerGroup(new[] { SampleSpecs.Layer }, 0) } }, new GroupPlace(0, "Repeat") },
        { "KeyValueHeads", SampleSpecs.With(SampleSpecs.Layer, SampleSpecs.Of("Other", SampleSpecs.Attention with { KeyValueHeads = 3 })), new LayerPlace(0, 1, "KeyValueHeads") },
        { "Window", SampleSpecs.With(SampleSpecs.Of("Layer", SampleSpecs.Attention with { Window = -1 })), new LayerPlace(0, 0, "Window") },
        { "query width", SampleSpecs.With(SampleSpecs.Of("Layer", SampleSpecs.Attention with { Heads = 65_536, HeadSize = 512 })), new LayerPlace(0, 0, "HeadSize") },
        { "norms", SampleSpecs.With(SampleSpecs.Layer with { SeparateNorms = true }), new LayerPlace(0, 0, "SeparateNorms") },
        { "no table", SampleSpecs.With(SampleSpecs.Layer with { Position = Position.Learned }), new ModelPlace("LearnedPositions") },
        { "no learned layer", SampleSpecs.Model with { LearnedPositions = 8 }, new ModelPlace("LearnedPositions") },
        { "two blocks", SampleSpecs.With(SampleSpecs.Layer with { FeedForward = new[] { SampleSpecs.Layer.FeedForward[0], SampleSpecs.Layer.FeedForward[0] } }), new LayerPlace(0, 0, "FeedForward") },
        {
            "layers", SampleSpecs.Model with { Stack = new[] { new LayerGroup(new[] { SampleSpecs.Layer }, 100_000), new LayerGroup(new[] { SampleSpecs.Layer }, 1) } },
            new GroupPlace(1, "Repeat")
        },
        {
            "parameters", SampleSpecs.Model with { Hidden = 1_048_576, Stack = new[] { new LayerGroup(new[] { SampleSpecs.Of("Layer", SampleSpecs.Attention, 16_777_216) }, 100_000) } },
            new ModelPlace("Hidden")
        },
    };

    [Fact]
    public void A_sound_model_has_no_faults() => ModelRules.Check(SampleSpecs.Model).ShouldBeEmpty();

    [Theory]
    [MemberData(nameof(Faulty))]
    public void A_fault_names_its_place(string what, ModelSpec model, SpecificationPlace place)
    {
        var fault = ModelRules.Check(model).ShouldHaveSingleItem(what);
        fault.Place.ShouldBe(place);
        fault.Message.ShouldNotBeEmpty();
    }

    [Fact]
    public void A_parallel_layer_has_one_norm_or_two()
    {
        var one = SampleSpecs.Layer with { Parallel = true };
        var two = one with { SeparateNorms = true };
        ModelRules.Check(SampleSpecs.With(two)).ShouldBeEmpty();
        two.ParameterCount(512).ShouldBe(one.ParameterCount(512) + 512);
        two.ParameterCount(512).ShouldBe(SampleSpecs.Layer.ParameterCount(512));
    }

    [Fact]
    public void A_kind_of_layer_is_refused_once_however_often_it_stands() =>
        ModelRules.Check(SampleSpecs.With(SampleSpecs.Layer with { Norm = (Norm)2 }, SampleSpecs.Layer with { Norm = (Norm)2 })).Count.ShouldBe(1);

    /// <summary>No rule waits for values that it does not look at, and none prints a name that is at fault.</summary>
    [Fact]
    public void What_is_wrong_in_one_place_hides_nothing_in_another()
    {
        var model = SampleSpecs.With(SampleSpecs.Of("Layer", SampleSpecs.Attention with { KeyValueHeads = 3 })) with { Name = "a\nb", Hidden = 0, LearnedPositions = 8 };
        var faults = ModelRules.Check(model);
        faults.Select(f => f.Place).ShouldBe([new ModelPlace("Name"), new ModelPlace("Hidden"), new LayerPlace(0, 0, "KeyValueHeads"), new ModelPlace("LearnedPositions")]);
        faults.ShouldAllBe(f => !f.Message.Contains('\n'));
        ModelRules.Check(model, [new ModelPlace("Stack"), new LayerPlace(0, 0, "Heads")]).Select(f => f.Place).ShouldBe([new ModelPlace("Name"), new ModelPlace("Hidden")]);
    }

    /// <summary>The number of parameters is told beside any fault of a value that is none of its factors.</summary>
    [Fact]
    public void Too_many_parameters_are_told_whatever_else_is_wrong()
    {
        var large = SampleSpecs.Of("a b", SampleSpecs.Attention with { Window = -1, Heads = 65_536, KeyValueHeads = 65_536, HeadSize = 256 }, 16_777_216) with { Position = (Position)7 };
        var model = SampleSpecs.With(large) with { Name = "", Hidden = 1_048_576, MaxPositions = 0 };
        model = model with { Stack = new[] { new LayerGroup(new[] { large }, 100_000) } };
        ModelRules.Check(model).Select(f => f.Place.Property).ShouldBe(["Name", "MaxPositions", "Name", "Position", "Window", "Hidden"]);
        ModelRules.Check(model with { Vocabulary = 0 }).ShouldNotContain(f => f is TooLargeFault);
    }

    [Fact]
    public void Values_together_are_not_judged_before_each_is_sound() =>
        ModelRules.Check(SampleSpecs.With(SampleSpecs.Of("Layer", SampleSpecs.Attention with { Heads = 7, KeyValueHeads = 0 })))
            .ShouldHaveSingleItem().ShouldBeOfType<OutOfRangeFault>();

    [Theory]
    [InlineData("a")]
    [InlineData("meta-llama/Llama 3 (70B)")]
    [InlineData("\u6a21\u578b")]
    [InlineData("\ud83e\udd99")]
    public void Names_of_one_printable_line_are_accepted(string name) =>
        ModelRules.Check(SampleSpecs.Model with { Name = name }).ShouldBeEmpty();

    [Theory]
    [InlineData("")]
    [InlineData(" a")]
    [InlineData("a ")]
    [InlineData("a  b")]
    [InlineData("a#b")]
    [InlineData("a\nb")]
    [InlineData("a\tb")]
    [InlineData("a\u00a0b")]
    [InlineData("a\u2028b")]
    [InlineData("a\u202eb")]
    public void Other_names_are_refused_and_printed_on_one_line(string name)
    {
        var fault = ModelRules.Check(SampleSpecs.Model with { Name = name }).ShouldHaveSingleItem().ShouldBeOfType<NameFault>();
        fault.Message.ShouldAllBe(c => !char.IsControl(c) && !char.IsSurrogate(c) && c != '\u2028');
    }

    [Fact]
    public void Half_a_character_is_refused() =>
        ModelRules.Check(SampleSpecs.Model with { Name = "a" + '\ud83e' + "b" }).ShouldHaveSingleItem().Message.ShouldStartWith("Name 'a\\ud83eb'");

    [Theory]
    [InlineData("i.x")]
    [InlineData("a b")]
    [InlineData("a/b")]
    [InlineData("a[0]")]
    public void Names_of_layers_cannot_hold_the_marks_of_tensor_names(string name) =>
        ModelRules.Check(SampleSpecs.With(SampleSpecs.Layer with { Name = name })).ShouldHaveSingleItem().ShouldBeOfType<NameFault>();
}
