/** A line without axes, for table cells. `null` is a gap. */
export function Sparkline({
  values,
  width = 110,
  height = 24,
  color = '--bn-s1',
  label,
}: {
  values: (number | null)[];
  width?: number;
  height?: number;
  color?: string;
  label: string;
}) {
  const finite = values.filter((v): v is number => v !== null && Number.isFinite(v));
  if (finite.length === 0) return <svg width={width} height={height} role="img" aria-label={`${label}: no values`} />;
  const low = Math.min(...finite);
  const span = Math.max(...finite) - low || 1;
  const x = (i: number) => 2 + (i / Math.max(1, values.length - 1)) * (width - 5);
  const y = (v: number) => height - 3 - ((v - low) / span) * (height - 6);
  let path = '';
  let pen = false;
  values.forEach((value, i) => {
    if (value === null || !Number.isFinite(value)) {
      pen = false;
      return;
    }
    path += `${pen ? 'L' : 'M'}${x(i).toFixed(1)} ${y(value).toFixed(1)}`;
    pen = true;
  });
  const last = finite[finite.length - 1] as number;
  return (
    <svg width={width} height={height} role="img" aria-label={`${label}: ${finite.length} values`} style={{ display: 'block' }}>
      <path d={path} fill="none" stroke={`var(${color})`} strokeWidth={1.4} strokeLinejoin="round" />
      <circle cx={x(values.lastIndexOf(last))} cy={y(last)} r={2} fill={`var(${color})`} />
    </svg>
  );
}
