namespace Preserve.Models.Tests;

public sealed class ModelSourceTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("preserve-models-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("meta-llama/Meta-Llama-3-70B")]
    [InlineData("META-LLAMA/meta-llama-3-70b")]
    [InlineData("Meta-Llama-3-70B")]
    [InlineData("llama-3-70b")]
    [InlineData("Llama3-70B")]
    [InlineData("llama_3_70b")]
    [InlineData("Llama 3 70B")]
    public void A_published_model_has_several_names(string name) =>
        ModelSource.Load(name).ShouldBeAModel().Spec.Name.ShouldBe("meta-llama/Meta-Llama-3-70B");

    [Theory]
    [InlineData("mixtral", "no model is called 'mixtral'; did you mean 'mixtral-8x7b'?")]
    [InlineData("lama-3-70b", "no model is called 'lama-3-70b'; did you mean 'llama-3-70b'?")]
    [InlineData("meta-llama/Meta-Llama-3-70", "no model is called 'meta-llama/Meta-Llama-3-70'; did you mean 'meta-llama/Meta-Llama-3-70B'?")]
    [InlineData("unheard of", "no model is called 'unheard of'")]
    [InlineData("", "no model is called ''")]
    [InlineData("a\nb\0", "no model is called 'a\\u000ab\\u0000'")]
    [InlineData("nowhere/config.json", "there is no file 'nowhere/config.json'")]
    [InlineData("Mixtral-8x7B-v0.1", "model 'mistralai/Mixtral-8x7B-v0.1' is known, but not supported: it has mixtures of experts as feed-forward blocks")]
    [InlineData("deepseek-v3", "model 'deepseek-ai/DeepSeek-V3' is known, but not supported: it has latent attention, which caches a compressed form of keys and values, and mixtures of experts as feed-forward blocks")]
    public void Another_name_is_an_error(string name, string message) => ModelSource.Load(name).Message().ShouldBe(message);

    [Fact]
    public void A_long_name_has_no_suggestion() => ModelSource.Load(new string('x', 100_000)).Message().ShouldBe($"no model is called '{new string('x', 60)}...'");

    [Fact]
    public void No_two_models_share_a_name()
    {
        foreach (var model in ModelCatalogue.Models)
        {
            foreach (var name in model.Names.Append(model.Id))
                ModelCatalogue.TryFind(name, out var found).ShouldBe(found?.Id == model.Id, name);
        }
    }

    [Fact]
    public void Every_model_can_be_loaded_or_says_what_is_missing()
    {
        ModelCatalogue.Models.Count.ShouldBe(25);
        foreach (var model in ModelCatalogue.Models)
        {
            var result = ModelCatalogue.Load(model.Id);
            (result.Model is null).ShouldBe(model.Unsupported is not null, model.Id);
            if (result.Model is { } loaded)
                loaded.Spec.ParameterCount.ShouldBe(model.Parameters, model.Id);
        }
        ModelCatalogue.Models.Where(m => m.Unsupported is not null).Select(m => m.Id)
            .ShouldBe(["Qwen/Qwen3-235B-A22B", "mistralai/Mixtral-8x7B-v0.1", "deepseek-ai/DeepSeek-V3", "openai/gpt-oss-120b"]);
    }

    [Fact]
    public void A_file_is_named_by_its_folder_or_by_itself()
    {
        var folder = Directory.CreateDirectory(Path.Combine(_folder, "My Model")).FullName;
        File.WriteAllText(Path.Combine(folder, "config.json"), SmallestConfig.Of("llama"));
        File.WriteAllText(Path.Combine(folder, "other.json"), SmallestConfig.Of("llama"));
        ModelSource.Load(Path.Combine(folder, "config.json")).ShouldBeAModel().Spec.Name.ShouldBe("My Model");
        ModelSource.Load(folder).ShouldBeAModel().Spec.Name.ShouldBe("My Model");
        ModelSource.Load(Path.Combine(folder, "other.json")).ShouldBeAModel().Spec.Name.ShouldBe("other");
    }

    [Fact]
    public void A_folder_that_plans_cannot_print_is_no_hindrance()
    {
        var folder = Directory.CreateDirectory(Path.Combine(_folder, "a#b")).FullName;
        File.WriteAllText(Path.Combine(folder, "config.json"), SmallestConfig.Of("llama"));
        ModelSource.Load(folder).ShouldBeAModel().Spec.Name.ShouldBe("model");
    }

    [Fact]
    public void A_huge_file_is_refused_unread()
    {
        var path = Path.Combine(_folder, "huge.json");
        using (var file = File.Create(path))
            file.SetLength(100_000_000);
        ModelSource.Load(path).Message().ShouldBe("the file has more than 1,048,576 bytes, too many for a config.json");
    }

    [Fact]
    public void A_file_that_cannot_be_read_is_an_error()
    {
        var path = Path.Combine(_folder, "held.json");
        using var held = new FileStream(path, FileMode.Create, FileAccess.ReadWrite, FileShare.None);
        ModelSource.Load(path).Message().ShouldContain("cannot be read");
    }
}
