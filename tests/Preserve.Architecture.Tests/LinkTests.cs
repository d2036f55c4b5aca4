using System.Text.RegularExpressions;

namespace Preserve.Architecture.Tests;

/// <summary>Links between pages lead somewhere, and to every page leads one.</summary>
public partial class LinkTests
{
    public static TheoryData<string> Pages =>
    [
        .. Directory.GetFiles(Repository.Root, "*.md").Concat(Directory.GetFiles(Path.Combine(Repository.Root, "docs"), "*.md", SearchOption.AllDirectories))
            .Select(f => Path.GetRelativePath(Repository.Root, f).Replace('\\', '/')).Order(StringComparer.Ordinal),
    ];

    [Theory]
    [MemberData(nameof(Pages))]
    public void Every_link_of_a_page_leads_to_a_file_and_its_heading(string page)
    {
        foreach (var (file, heading) in LinksOf(page))
        {
            var path = Path.Combine(Repository.Root, file);
            (File.Exists(path) || Directory.Exists(path)).ShouldBeTrue($"{page} links to {file}, which is not there");
            if (heading.Length > 0)
                HeadingsOf(file).ShouldContain(heading, $"{page} links to a heading of {file}");
        }
    }

    [Fact]
    public void Every_page_is_reached_from_the_readme()
    {
        var reached = new HashSet<string> { "README.md" };
        var open = new Queue<string>(reached);
        while (open.TryDequeue(out var page))
        {
            foreach (var (file, _) in LinksOf(page).Where(l => l.File.EndsWith(".md", StringComparison.Ordinal) && reached.Add(l.File)))
                open.Enqueue(file);
        }
        Pages.Select(p => p.Data).Except(reached).ShouldBeEmpty();
    }

    /// <summary>Links to files of the repository, by their paths from its root.</summary>
    private static IEnumerable<(string File, string Heading)> LinksOf(string page)
    {
        var text = Code().Replace(File.ReadAllText(Path.Combine(Repository.Root, page)), "");
        foreach (Match link in Link().Matches(text))
        {
            var target = link.Groups[1].Value;
            if (target.Contains("://", StringComparison.Ordinal))
                continue;
            var parts = target.Split('#');
            var file = parts[0].Length == 0 ? page
                : Path.GetRelativePath(Repository.Root, Path.GetFullPath(Path.Combine(Repository.Root, Path.GetDirectoryName(page)!, parts[0]))).Replace('\\', '/');
            yield return (file, parts.Length > 1 ? parts[1] : "");
        }
    }

    /// <summary>The names that a page's headings have in links: small letters, digits and hyphens.</summary>
    private static IEnumerable<string> HeadingsOf(string page) =>
        Heading().Matches(Code().Replace(File.ReadAllText(Path.Combine(Repository.Root, page)), ""))
            .Select(m => NoLetter().Replace(m.Groups[1].Value.ToLowerInvariant(), "").Replace(' ', '-'));

    /// <summary>Blocks of code, in which brackets are no links and a hash is no heading.</summary>
    [GeneratedRegex(@"^```.*?^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Code();

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"^#+ (.+)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"[^\p{L}\p{Nd} _-]")]
    private static partial Regex NoLetter();
}
