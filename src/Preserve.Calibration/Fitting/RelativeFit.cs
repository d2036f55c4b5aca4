using System;
using System.Collections.Generic;
using System.Linq;
using MathNet.Numerics.LinearAlgebra;
using MathNet.Numerics.Optimization;

namespace Preserve;

/// <summary>Constants of a law that leave the least mean relative error over measured rows.</summary>
/// <remarks>Errors above a half count little more: a row that no law explains shall not bend the others (P. Huber, Robust Estimation
/// of a Location Parameter, 1964). The loss has corners where algorithms and waves change, so the search takes no derivatives:
/// J. Nelder and R. Mead, A Simplex Method for Function Minimization, 1965, in the logarithms of the constants, from several
/// starts.</remarks>
/// <typeparam name="TRow">A measured row.</typeparam>
/// <typeparam name="TConstants">Constants of the law.</typeparam>
/// <param name="parameters">What is fitted.</param>
/// <param name="make">Constants of parameters.</param>
/// <param name="predict">The law's time of a row, in microseconds.</param>
/// <param name="measure">The measured time of a row, in microseconds.</param>
/// <param name="weigh">How much a row counts; null where all count the same.</param>
internal sealed class RelativeFit<TRow, TConstants>(
    Parameter[] parameters,
    Func<double[], TConstants> make,
    Func<TConstants, TRow, double> predict,
    Func<TRow, double> measure,
    Func<TRow, double>? weigh = null)
{
    private const double LargeError = 0.5, WeightOfMore = 0.1;
    private const int Iterations = 3000, Polishes = 3;
    private const int Seed = 20_250_101;

    /// <summary>Fits the constants.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="starts">Searches, each from another place.</param>
    public FitResult<TConstants> Fit(IReadOnlyList<TRow> rows, int starts = 6) => Search(rows, parameters.Select(p => p.Start).ToArray(), starts);

    /// <summary>Ratios of measured to predicted time of rows that the constants behind the prediction never saw: each fold's are fitted
    /// to the others.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="fit">The fit to all rows, from which those without a fold begin.</param>
    /// <param name="folds">The folds: rows of one shape stand in one of them.</param>
    public List<double> CrossValidatedRatios(IReadOnlyList<TRow> rows, FitResult<TConstants> fit, IEnumerable<List<TRow>> folds)
    {
        var ratios = new List<double>();
        foreach (var fold in folds)
        {
            var others = rows.Except(fold).ToList();
            if (others.Count == 0)
                continue;
            var constants = Search(others, fit.Values, starts: 1).Constants;
            ratios.AddRange(fold.Select(r => measure(r) / predict(constants, r)));
        }
        return ratios;
    }

    private FitResult<TConstants> Search(IReadOnlyList<TRow> rows, double[] first, int starts)
    {
        var free = Enumerable.Range(0, parameters.Length).Where(i => parameters[i].Least < parameters[i].Most).ToArray();
        var best = first;
        var least = Loss(rows, first);
        // Seeded: the same rows give the same constants.
        var random = new Random(Seed);
        for (var start = 0; start < starts && free.Length > 0; start++)
        {
            var from = (double[])first.Clone();
            if (start > 0)
            {
                foreach (var i in free)
                    from[i] = parameters[i].Within(from[i] * Math.Exp((random.NextDouble() - 0.5) * 1.6));
            }
            for (var polish = 0; polish < Polishes; polish++)
            {
                var (values, loss) = Descend(rows, from, free, step: 0.3 / (1 << polish));
                from = values;
                if (loss < least)
                    (best, least) = (values, loss);
            }
        }
        return new FitResult<TConstants>(make(best), best, least);
    }

    private (double[] Values, double Loss) Descend(IReadOnlyList<TRow> rows, double[] from, int[] free, double step)
    {
        var best = from;
        var least = double.MaxValue;
        var values = (double[])from.Clone();
        var objective = ObjectiveFunction.Value(logarithms =>
        {
            for (var i = 0; i < free.Length; i++)
                values[free[i]] = parameters[free[i]].Within(Math.Exp(logarithms[i]));
            var loss = Loss(rows, values);
            if (loss < least)
                (best, least) = ((double[])values.Clone(), loss);
            return loss;
        });
        try
        {
            NelderMeadSimplex.Minimum(
                objective,
                Vector<double>.Build.DenseOfEnumerable(free.Select(i => Math.Log(from[i]))),
                Vector<double>.Build.Dense(free.Length, step),
                convergenceTolerance: 1e-8,
                maximumIterations: Iterations);
        }
        catch (MaximumIterationsException)
        {
            // What was found until then counts.
        }
        return (best, least);
    }

    private double Loss(IReadOnlyList<TRow> rows, double[] values)
    {
        var constants = make(values);
        double sum = 0, weights = 0;
        foreach (var row in rows)
        {
            var error = Math.Abs((predict(constants, row) / measure(row)) - 1);
            var weight = weigh?.Invoke(row) ?? 1;
            sum += weight * (error <= LargeError ? error : LargeError + (WeightOfMore * (error - LargeError)));
            weights += weight;
        }
        return weights > 0 ? sum / weights : 0;
    }
}

/// <summary>What a fit found.</summary>
/// <param name="Constants">The constants.</param>
/// <param name="Values">Their values, in the order of the parameters.</param>
/// <param name="Loss">The loss that they leave.</param>
internal sealed record FitResult<TConstants>(TConstants Constants, double[] Values, double Loss);
