using System;
using System.Linq;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Text;
using Preserve.Optimizer;

namespace Preserve.Generators;

/// <summary>Emits the plans of every declared deployment. What is wrong with a declaration the analyzers say; a faulty one is
/// emitted nothing for.</summary>
[Generator(LanguageNames.CSharp)]
public sealed class DeploymentGenerator : IIncrementalGenerator
{
    private readonly Func<DeploymentSpec, Device, string?, CancellationToken, PlanSet> _plan;

    /// <summary>The generator, as the compiler makes it.</summary>
    public DeploymentGenerator()
        : this(Planner.Plan)
    {
    }

    /// <summary>A generator with another optimizer.</summary>
    /// <param name="plan">Makes the plans of a deployment on a device; the third argument is the text of the device's file.</param>
    internal DeploymentGenerator(Func<DeploymentSpec, Device, string?, CancellationToken, PlanSet> plan) => _plan = plan;

    /// <inheritdoc/>
    public void Initialize(IncrementalGeneratorInitializationContext context)
    {
        var declarations = context.SyntaxProvider
            .ForAttributeWithMetadataName(
                typeof(DeploymentAttribute).FullName!,
                // A generated part of a type that is not partial would be an error that hides what the analyzers say.
                static (node, _) => node is ClassDeclarationSyntax type && type.Modifiers.Any(SyntaxKind.PartialKeyword) && Rehearsal.Begin(),
                static (target, _) => DeploymentParser.Parse((INamedTypeSymbol)target.TargetSymbol, new FaultCounter()))
            .WithTrackingName(StepNames.Extract)
            .NotNull();

        var devices = context.AdditionalTextsProvider
            .Where(static file => DeclaredDevices.IsDeviceFile(file))
            .Select(static (file, cancellation) => DeclaredDevices.Read(file, cancellation))
            .WithTrackingName(StepNames.DeviceFiles)
            .NotNull();

        // From here on a deployment carries its own device alone: another device's file changes nothing of it.
        var resolved = declarations.Combine(devices.Collect())
            .Select(static (pair, _) => DeviceResolver.Resolve(pair.Left.Spec, pair.Right) is Resolution.Accepted accepted
                ? new ResolvedDeployment(pair.Left, accepted.Device, accepted.DeviceText)
                : null)
            .WithTrackingName(StepNames.Resolve)
            .NotNull();

        var begun = resolved
            .Select((deployment, cancellation) => new BegunDeployment(deployment, Task.Run(() => Optimize(deployment, cancellation), cancellation)))
            .WithTrackingName(StepNames.Begin);

        var optimized = begun
            .Select(static (deployment, _) => new OptimizedDeployment(deployment.Deployment.Declaration, deployment.Await()))
            .WithTrackingName(StepNames.Optimize);

        var hintNames = declarations.Select(static (d, _) => d.Type.QualifiedName).Collect()
            .Select(static (names, _) => HintNames.Among(names));

        var emitted = optimized.Combine(hintNames)
            .Select(static (pair, _) => Emit(pair.Left, pair.Right))
            .WithTrackingName(StepNames.Emit);

        context.RegisterSourceOutput(emitted, static (output, plans) =>
        {
            if (plans is EmittedPlans.Source source)
                output.AddSource(source.HintName, SourceText.From(source.Text, Encoding.UTF8));
            if (plans is EmittedPlans.Failure failure)
                output.ReportDiagnostic(Diagnostic.Create(Descriptors.PlanningFailed, Location.None, failure.Type, failure.Message, failure.Specification));
        });
    }

    private PlanningResult Optimize(ResolvedDeployment deployment, CancellationToken cancellation)
    {
        try
        {
            var plans = _plan(deployment.Declaration.Spec, deployment.Device, deployment.DeviceText, cancellation);
            return new PlanningResult.Planned(plans, plans.Steps.Select(s => StepSummary.Of(s, deployment.Declaration.Spec, deployment.Device, cancellation)).ToArray());
        }
        // Whatever it is, it is told with the specification: a generator that throws says nothing of its input.
        catch (Exception e) when (e is not OperationCanceledException)
        {
            return new PlanningResult.Failed(e.Message.TrimEnd('.'));
        }
    }

    private static EmittedPlans Emit(OptimizedDeployment deployment, HintNames hintNames)
    {
        var declaration = deployment.Declaration;
        return deployment.Result switch
        {
            PlanningResult.Planned planned => new EmittedPlans.Source(
                hintNames.Of(declaration.Type.QualifiedName), PlanSource.Print(declaration, planned)),
            PlanningResult.Failed failed => new EmittedPlans.Failure(
                declaration.Type.QualifiedName, failed.Message, SpecificationText.Of(declaration.Spec)),
            _ => throw new InvalidOperationException(deployment.Result.GetType().Name),
        };
    }
}
