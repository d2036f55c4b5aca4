using System.Collections;
using System.Reflection;
using System.Runtime.Loader;
using FsCheck;
using FsCheck.Fluent;

namespace Preserve.Optimizer.Tests;

/// <summary>The compiler loads netstandard2.0 builds, applications net10.0 ones: both make the same plans, byte for byte.</summary>
public class TargetFrameworkTests
{
    [Fact]
    public void Both_target_frameworks_make_the_same_plans()
    {
        var other = new CompilerAssemblies();
        var planner = other.Load("Preserve.Optimizer").GetType("Preserve.Optimizer.Planner")!.GetMethod("Plan")!;
        var text = other.Load("Preserve.Core").GetType("Preserve.PlanText")!.GetMethods().Single(m => m.Name == "Write" && m.GetParameters()[0].ParameterType.Name == "PlanSet");
        planner.DeclaringType!.Assembly.GetCustomAttribute<System.Runtime.Versioning.TargetFrameworkAttribute>()!.FrameworkName.ShouldContain("netstandard");

        var devices = DeviceCatalogue.Ids.Select(id => DeviceCatalogue.TryGet(id, out var device) ? device : throw new InvalidOperationException(id)).ToArray();
        var (count, compared) = (0, 0);
        var deployments = Gen.Frequency((7, RandomDeployments.Generator(maxRepeat: 90)), (1, HostCaches.Generator(maxRepeat: 30)), (1, HostCaches.Columns(maxRepeat: 8)));
        Prop.ForAll(Arb.From(deployments.Where(d => devices.Any(device => Fits(d, device)))), deployment =>
        {
            // One device after the other; where it is too small, the next that is not.
            var device = devices.Skip(count++ % devices.Length).Concat(devices).First(d => Fits(deployment, d));
            var spec = deployment with { Device = device.Id };
            var here = PlanText.Write(Planner.Plan(spec, device));
            var there = (string)text.Invoke(null, [planner.Invoke(null, [other.Rebuild(spec), other.Rebuild(device), null, CancellationToken.None])])!;
            there.ShouldBe(here);
            compared++;
            return true;
        }).Check(RandomDeployments.Runs(200));
        compared.ShouldBe(200);

        static bool Fits(DeploymentSpec deployment, Device device) => MemoryFit.Of(deployment, device.MemoryBytes).Fits;
    }

    /// <summary>The assemblies that the compiler loads, beside those of this test.</summary>
    private sealed class CompilerAssemblies() : AssemblyLoadContext("compiler")
    {
        private static readonly string _folder = Path.GetFullPath(typeof(TargetFrameworkTests).Assembly
            .GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "CompilerAssemblies").Value!.Replace('\\', '/'));

        public Assembly Load(string name) => LoadFromAssemblyName(new AssemblyName(name));

        protected override Assembly? Load(AssemblyName assemblyName) => assemblyName.Name!.StartsWith("Preserve.", StringComparison.Ordinal)
            ? LoadFromAssemblyPath(Path.Combine(_folder, assemblyName.Name + ".dll"))
            : null;

        /// <summary>The same value in the other assemblies' types, through the records' constructors and setters.</summary>
        public object? Rebuild(object? value)
        {
            if (value is null || value is string || value.GetType().IsPrimitive)
                return value;
            var type = Counterpart(value.GetType());
            if (type.IsEnum)
                return Enum.ToObject(type, Convert.ToInt32(value));
            if (value is IEnumerable items)
            {
                var element = type.GetGenericArguments()[0];
                var rebuilt = items.Cast<object>().Select(Rebuild).ToArray();
                var array = Array.CreateInstance(element, rebuilt.Length);
                rebuilt.CopyTo(array, 0);
                return Activator.CreateInstance(type, array);
            }
            var constructor = type.GetConstructors().OrderByDescending(c => c.GetParameters().Length).First();
            var source = value.GetType();
            var copy = constructor.Invoke(constructor.GetParameters().Select(p => Rebuild(source.GetProperty(p.Name!)!.GetValue(value))).ToArray());
            // What a record declares beside its constructor.
            foreach (var property in type.GetProperties().Where(p => p.CanWrite && constructor.GetParameters().All(c => c.Name != p.Name)))
                property.SetValue(copy, Rebuild(source.GetProperty(property.Name)!.GetValue(value)));
            return copy;
        }

        private Type Counterpart(Type type)
        {
            var definition = type.IsGenericType ? type.GetGenericTypeDefinition() : type;
            var other = Load(definition.Assembly.GetName().Name!).GetType(definition.FullName!)!;
            return type.IsGenericType ? other.MakeGenericType(type.GetGenericArguments().Select(Counterpart).ToArray()) : other;
        }
    }
}
