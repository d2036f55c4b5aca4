using Microsoft.CodeAnalysis;

namespace Preserve.Generators.Tests;

/// <summary>The declarations of published models say what was published.</summary>
public class PublishedModelTests
{
    public static TheoryData<string, long> Parameters => new()
    {
        { "Llama2_7B", 6_738_415_616 },
        { "Llama2_13B", 13_015_864_320 },
        { "Llama2_70B", 68_976_648_192 },
        { "Llama3_8B", 8_030_261_248 },
        { "Llama3_70B", 70_553_706_496 },
        { "Llama3_1_405B", 405_853_388_800 },
        { "Qwen2_5_7B", 7_615_616_512 },
        { "Qwen2_5_14B", 14_770_033_664 },
        { "Qwen2_5_32B", 32_763_876_352 },
        { "Qwen2_5_72B", 72_706_203_648 },
        { "Qwen3_32B", 32_762_123_264 },
        { "Mistral7B", 7_241_732_096 },
        { "Opt6_7B", 6_658_473_984 },
        { "Opt13B", 12_853_473_280 },
        { "Opt30B", 29_974_540_288 },
        { "Phi3Mini", 3_821_079_552 },
        { "Phi3Medium", 13_960_238_080 },
        { "Phi3Small", 7_392_272_384 },
        { "Gemma2_27B", 27_227_128_320 },
        { "Qwen2_7B", 7_615_616_512 },
        { "Qwen2_72B", 72_706_203_648 },
    };

    [Theory]
    [MemberData(nameof(Parameters))]
    public void Has_the_published_number_of_parameters(string model, long parameters) => Parse(model).ParameterCount.ShouldBe(parameters);

    [Fact]
    public void Every_model_is_counted()
    {
        var declared = typeof(PublishedModelTests).Assembly.GetTypes().Where(t => t.IsDefined(typeof(ModelAttribute), inherit: false)).Select(t => t.Name);
        declared.Except(Parameters.Select(p => p.Data.Item1)).ShouldBeEmpty();
    }

    private static ModelSpec Parse(string model)
    {
        var compilation = TestCompilation.Of([.. PublishedModels.Sources.Select(s => "using Preserve;\n" + s)]);
        var type = compilation.GetTypeByMetadataName($"Preserve.Generators.Tests.Models.{model}").ShouldNotBeNull();
        var parsed = ModelParser.Parse(type, outer: null, new FaultCounter());
        parsed.Unsound.ShouldBeEmpty();
        return parsed.Spec;
    }
}
