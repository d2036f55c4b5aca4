using System.Xml.Linq;

namespace Preserve.Architecture.Tests;

public class RoomsTests
{
    public static IEnumerable<object[]> Assemblies { get; } = Rooms.All.SelectMany(r => r.Frameworks.Select(f => new object[] { r.Name, f })).ToArray();

    public static IEnumerable<object[]> AssembliesOfApplications { get; } = Assemblies.Where(a => a[1] is Rooms.ForApplications).ToArray();

    public static IEnumerable<object[]> Names { get; } = Rooms.All.Select(r => new object[] { r.Name }).ToArray();

    [Fact]
    public void Every_project_of_the_product_has_one_row()
    {
        var rows = Rooms.All.Select(r => Path.Combine(Repository.Root, r.Folder, r.Name, r.Name + ".csproj"));
        Repository.Projects("src", "generators").ShouldBe(rows.Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Assemblies))]
    public void An_assembly_imports_only_the_rooms_of_its_row(string name, string framework)
    {
        var room = Room(name);
        var imported = BuiltAssembly.Of(room, framework).References.Where(r => r.StartsWith("Preserve", StringComparison.Ordinal));
        imported.Except(Rooms.AllowedFor(room)).ShouldBeEmpty();
    }

    /// <summary>An import that no code uses yet leaves no trace in the assembly.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void A_project_file_names_only_the_rooms_of_its_row(string name)
    {
        var room = Room(name);
        var references = XDocument.Load(Path.Combine(Repository.Root, room.Folder, room.Name, room.Name + ".csproj")).Descendants("ProjectReference")
            .Where(r => r.Attribute("ReferenceOutputAssembly")?.Value != "false")
            .Select(r => Path.GetFileNameWithoutExtension(r.Attribute("Include")!.Value.Replace('\\', '/')));
        references.ShouldBe(room.Imports, ignoreOrder: true);
    }

    [Theory]
    [MemberData(nameof(Assemblies))]
    public void An_assembly_needs_nothing_that_its_host_lacks(string name, string framework)
    {
        var others = BuiltAssembly.Of(Room(name), framework).References.Where(r => !r.StartsWith("Preserve", StringComparison.Ordinal));
        if (framework == Rooms.ForTheCompiler)
            others.Except(Rooms.OfTheCompiler).Except(Room(name).Packages).ShouldBeEmpty("a third-party assembly would have to travel with the generator");
        else
            others.Where(r => !IsPartOfTheFramework(r)).Except(Room(name).Packages).ShouldBeEmpty("the package names no dependencies");
    }

    [Theory]
    [MemberData(nameof(Assemblies))]
    public void Public_types_stand_in_the_namespace_Preserve(string name, string framework) =>
        BuiltAssembly.Of(Room(name), framework).PublicTypes
            .Where(t => t.Namespace != "Preserve" && !t.Namespace.StartsWith("Preserve.", StringComparison.Ordinal))
            .ShouldBeEmpty();

    [Theory]
    [MemberData(nameof(AssembliesOfApplications))]
    public void What_applications_ship_can_be_trimmed_and_compiled_ahead(string name, string framework)
    {
        var metadata = BuiltAssembly.Of(Room(name), framework).Metadata;
        metadata.GetValueOrDefault("IsTrimmable").ShouldBe("True");
        metadata.GetValueOrDefault("IsAotCompatible").ShouldBe("True");
    }

    [Fact]
    public void Only_the_tool_imports_what_needs_a_package()
    {
        foreach (var room in Rooms.All.Where(r => r.Name != "Preserve.Cli"))
            Rooms.AllowedFor(room).Select(Room).SelectMany(r => r.Packages).ShouldBeEmpty(room.Name);
    }

    [Fact]
    public void Of_what_the_compiler_loads_only_the_fixes_need_more_than_it_has() =>
        Rooms.All.Where(r => r.Frameworks.Contains(Rooms.ForTheCompiler) && r.Packages.Count > 0).Select(r => r.Name).ShouldBe(["Preserve.CodeFixes"]);

    [Fact]
    public void The_table_has_no_cycle()
    {
        foreach (var room in Rooms.All)
            Rooms.AllowedFor(room).ShouldNotContain(room.Name);
    }

    private static Room Room(string name) => Rooms.All.Single(r => r.Name == name);

    private static bool IsPartOfTheFramework(string assembly) =>
        File.Exists(Path.Combine(Path.GetDirectoryName(typeof(object).Assembly.Location)!, assembly + ".dll"));
}
