namespace Preserve.Generators.Tests;

/// <summary>The specification in the report of a fault of the planning is enough to plan the same again.</summary>
public class SpecificationTextTests
{
    [Fact]
    public void No_value_of_a_deployment_is_left_out()
    {
        var compilation = TestCompilation.Of(Declarations.Small);
        var type = compilation.GetTypeByMetadataName("App.Deployed").ShouldNotBeNull();
        var spec = DeploymentParser.Parse(type, new FaultCounter()).ShouldNotBeNull().Spec;
        var texts = Changed(spec).Select(SpecificationText.Of).ToList();
        texts.Count.ShouldBeGreaterThan(35);
        texts.ShouldBeUnique();
        texts.ShouldNotContain(SpecificationText.Of(spec));
    }

    /// <summary>The specification with each of its values, and those of its parts, changed alone.</summary>
    private static IEnumerable<DeploymentSpec> Changed(DeploymentSpec spec)
    {
        var (model, group, layer) = (spec.Model, spec.Model.Stack[0], spec.Model.Stack[0].Pattern[0]);
        var layers = Variants(layer)
            .Concat(Variants((MultiHeadAttentionSpec)layer.Attention).Select(a => layer with { Attention = a }))
            .Concat(Variants((DenseFeedForwardSpec)layer.FeedForward[0]).Select(f => layer with { FeedForward = new FeedForwardSpec[] { f } }));
        var groups = Variants(group).Concat(layers.Select(l => group with { Pattern = new[] { l } }));
        var models = Variants(model).Concat(groups.Select(g => model with { Stack = new[] { g } }));
        return Variants(spec)
            .Concat(models.Select(m => spec with { Model = m }))
            .Concat(Variants(spec.Offload).Select(o => spec with { Offload = o }))
            .Concat(Variants((DecodeSpec)spec.Steps[0]).Select(s => spec with { Steps = new StepSpec[] { s } }));
    }

    private static IEnumerable<T> Variants<T>(T of)
        where T : notnull
    {
        var copy = typeof(T).GetMethod("<Clone>$").ShouldNotBeNull();
        foreach (var property in typeof(T).GetProperties().Where(p => p.CanWrite))
        {
            if (Other(property.GetValue(of)) is not { } other)
                continue;
            var changed = (T)copy.Invoke(of, null)!;
            property.SetValue(changed, other);
            yield return changed;
        }
    }

    private static object? Other(object? value) => value switch
    {
        bool of => !of,
        int of => of + 1,
        string of => of + "x",
        Enum of => Enum.ToObject(of.GetType(), Convert.ToInt32(of, null) == 0 ? 1 : 0),
        _ => null,
    };
}
