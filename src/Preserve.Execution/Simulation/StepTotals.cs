namespace Preserve;

/// <summary>What a run adds up; whole numbers, so that skipped iterations can be added exactly.</summary>
internal struct StepTotals
{
    public long Picoseconds;
    public long CollectiveExposedPicoseconds;
    public long PrefetchElsewherePicoseconds;
    public long HbmBusyPicoseconds;
    public long HbmBytes;
    public long HotBytes;
    public long PrefetchedBytes;
    public long LateBytes;
    public long KernelPicoseconds;
    public long CopyToDevicePicoseconds;
    public long CopyToHostPicoseconds;
    public long CopyExposedPicoseconds;
    public long CopyHiddenPicoseconds;
    public long CollectivePicoseconds;

    /// <summary>Adds <paramref name="times"/> times what was added since <paramref name="since"/>.</summary>
    public void Repeat(in StepTotals since, long times)
    {
        Picoseconds += times * (Picoseconds - since.Picoseconds);
        CollectiveExposedPicoseconds += times * (CollectiveExposedPicoseconds - since.CollectiveExposedPicoseconds);
        PrefetchElsewherePicoseconds += times * (PrefetchElsewherePicoseconds - since.PrefetchElsewherePicoseconds);
        HbmBusyPicoseconds += times * (HbmBusyPicoseconds - since.HbmBusyPicoseconds);
        HbmBytes += times * (HbmBytes - since.HbmBytes);
        HotBytes += times * (HotBytes - since.HotBytes);
        PrefetchedBytes += times * (PrefetchedBytes - since.PrefetchedBytes);
        LateBytes += times * (LateBytes - since.LateBytes);
        KernelPicoseconds += times * (KernelPicoseconds - since.KernelPicoseconds);
        CopyToDevicePicoseconds += times * (CopyToDevicePicoseconds - since.CopyToDevicePicoseconds);
        CopyToHostPicoseconds += times * (CopyToHostPicoseconds - since.CopyToHostPicoseconds);
        CopyExposedPicoseconds += times * (CopyExposedPicoseconds - since.CopyExposedPicoseconds);
        CopyHiddenPicoseconds += times * (CopyHiddenPicoseconds - since.CopyHiddenPicoseconds);
        CollectivePicoseconds += times * (CollectivePicoseconds - since.CollectivePicoseconds);
    }

    /// <summary>Adds what lies between two totals.</summary>
    public void Add(in StepTotals to, in StepTotals from)
    {
        Picoseconds += to.Picoseconds - from.Picoseconds;
        CollectiveExposedPicoseconds += to.CollectiveExposedPicoseconds - from.CollectiveExposedPicoseconds;
        PrefetchElsewherePicoseconds += to.PrefetchElsewherePicoseconds - from.PrefetchElsewherePicoseconds;
        HbmBusyPicoseconds += to.HbmBusyPicoseconds - from.HbmBusyPicoseconds;
        HbmBytes += to.HbmBytes - from.HbmBytes;
        HotBytes += to.HotBytes - from.HotBytes;
        PrefetchedBytes += to.PrefetchedBytes - from.PrefetchedBytes;
        LateBytes += to.LateBytes - from.LateBytes;
        KernelPicoseconds += to.KernelPicoseconds - from.KernelPicoseconds;
        CopyToDevicePicoseconds += to.CopyToDevicePicoseconds - from.CopyToDevicePicoseconds;
        CopyToHostPicoseconds += to.CopyToHostPicoseconds - from.CopyToHostPicoseconds;
        CopyExposedPicoseconds += to.CopyExposedPicoseconds - from.CopyExposedPicoseconds;
        CopyHiddenPicoseconds += to.CopyHiddenPicoseconds - from.CopyHiddenPicoseconds;
        CollectivePicoseconds += to.CollectivePicoseconds - from.CollectivePicoseconds;
    }
}
