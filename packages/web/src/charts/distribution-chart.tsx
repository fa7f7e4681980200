import './charts.css';
import type { Distribution } from '@binnacle/contract';
import { formatNumber, formatPercent } from '../ui/format.ts';
import { rebin } from './rebin.ts';

const W = 620;
const H = 230;
const LEFT = 44;
const BOTTOM = 36;
const BINS = 30;

/** Training and a window over each other: filled bars against an outline, so they can be told apart without colour. */
export function DistributionChart({ data }: { data: Distribution }) {
  if (data.categories !== null) return <Categories data={data} categories={data.categories} />;
  if (data.edges === null || data.edges.length < 2) return <p>This window has no distribution.</p>;
  const current = rebin(data.edges, data.current.shares, BINS);
  const base = data.baseline === null ? undefined : rebin(data.edges, data.baseline.shares, BINS);
  const outside = [current, base].some((h) => h !== undefined && (h.under > 0.0005 || h.over > 0.0005));
  const columns = (h: typeof current) => (outside ? [h.under, ...h.inner, h.over] : h.inner);
  const top = Math.max(1e-9, ...columns(current), ...(base === undefined ? [] : columns(base)));
  const count = columns(current).length;
  const width = (W - LEFT - 8) / count;
  const y = (share: number) => H - BOTTOM - (share / top) * (H - BOTTOM - 14);
  const outline = (h: typeof current) =>
    columns(h)
      .map((share, i) => `${i === 0 ? 'M' : 'L'}${(LEFT + i * width).toFixed(1)} ${y(share).toFixed(1)}H${(LEFT + (i + 1) * width).toFixed(1)}`)
      .join('');
  const x = (value: number) =>
    LEFT +
    ((outside ? 1 : 0) + ((value - (current.edges[0] as number)) / ((current.edges[BINS] as number) - (current.edges[0] as number) || 1)) * BINS) * width;
  const marks = [0, 0.25, 0.5, 0.75, 1].map((t) => (current.edges[0] as number) + t * ((current.edges[BINS] as number) - (current.edges[0] as number)));
  return (
    <div style={{ overflowX: 'auto' }} tabIndex={0} role="group" aria-label={`Distribution of ${data.feature}`}>
      <svg viewBox={`0 0 ${W} ${H}`} style={{ width: '100%', minWidth: 440 }} role="img" aria-label={`Distribution of ${data.feature}: ${describe(data)}`}>
        {[0.5, 1].map((t) => (
          <g key={t}>
            <line x1={LEFT} x2={W - 8} y1={y(top * t)} y2={y(top * t)} stroke="var(--bn-grid)" />
            <text className="bn-axis" x={LEFT - 6} y={y(top * t) + 4} textAnchor="end">
              {formatPercent(top * t)}
            </text>
          </g>
        ))}
        {columns(current).map((share, i) => (
          // The index is the key: bins have no other identity.
          <rect
            key={i}
            x={LEFT + i * width + 0.5}
            width={Math.max(0.5, width - 1)}
            y={y(share)}
            height={H - BOTTOM - y(share)}
            fill="var(--bn-s2)"
            fillOpacity={0.55}
          >
            <title>{`window: ${formatPercent(share, 2)}`}</title>
          </rect>
        ))}
        {base !== undefined && <path d={outline(base)} fill="none" stroke="var(--bn-s1)" strokeWidth={1.8} />}
        <line x1={LEFT} x2={W - 8} y1={H - BOTTOM} y2={H - BOTTOM} stroke="var(--bn-border)" />
        {marks.map((m) => (
          <text key={m} className="bn-axis" x={x(m)} y={H - 7} textAnchor="middle">
            {formatNumber(m, 3)}
          </text>
        ))}
        {outside && (
          <>
            <text className="bn-axis" x={LEFT + width / 2} y={H - BOTTOM + 11} textAnchor="middle" style={{ fontSize: 9 }}>
              under
            </text>
            <text className="bn-axis" x={W - 8 - width / 2} y={H - BOTTOM + 11} textAnchor="middle" style={{ fontSize: 9 }}>
              over
            </text>
          </>
        )}
      </svg>
    </div>
  );
}

const SHOWN = 25;
function Categories({ data, categories }: { data: Distribution; categories: string[] }) {
  const rows = data.current.shares
    .map((share, i) => ({ name: categories[i] ?? 'other', current: share, base: data.baseline?.shares[i] ?? 0 }))
    .sort((a, b) => Math.max(b.base, b.current) - Math.max(a.base, a.current));
  const shown = rows.slice(0, SHOWN);
  const top = Math.max(1e-9, ...shown.flatMap((r) => [r.current, r.base]));
  const height = shown.length * 24 + 6;
  const x = (share: number) => (share / top) * 380;
  return (
    <>
      <svg viewBox={`0 0 ${W} ${height}`} width="100%" role="img" aria-label={`Distribution of ${data.feature}: ${describe(data)}`}>
        {shown.map((row, i) => (
          <g key={row.name} transform={`translate(0 ${i * 24 + 4})`}>
            <text x={132} y={13} textAnchor="end" style={{ fontSize: 12, fill: 'var(--bn-ink)' }}>
              {row.name.length > 20 ? `${row.name.slice(0, 19)}…` : row.name}
              <title>{row.name}</title>
            </text>
            <rect x={140} y={3} height={14} width={x(row.current)} fill="var(--bn-s2)" fillOpacity={0.55} />
            <rect x={140} y={3} height={14} width={Math.max(0.5, x(row.base))} fill="none" stroke="var(--bn-s1)" strokeWidth={1.6} />
            <text className="bn-axis" x={148 + Math.max(x(row.current), x(row.base))} y={14}>
              {formatPercent(row.base)} → {formatPercent(row.current)}
            </text>
          </g>
        ))}
      </svg>
      {rows.length > SHOWN && (
        <p style={{ fontSize: 12, color: 'var(--bn-muted)', margin: '4px 0 0' }}>
          The {SHOWN} largest of {rows.length} values.
        </p>
      )}
    </>
  );
}

function describe(data: Distribution): string {
  const mean = (side: { mean: number | null } | null) => (side === null || side.mean === null ? '' : `, mean ${formatNumber(side.mean)}`);
  return `${data.baseline === null ? 'no baseline' : `training ${data.baseline.rows} rows${mean(data.baseline)}`}; window ${data.current.rows} rows${mean(data.current)}`;
}
