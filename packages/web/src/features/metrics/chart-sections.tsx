import { useElementSize } from '@mantine/hooks';
import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { useLayoutEffect, useMemo, useRef, useState } from 'react';
import { FoldButton } from '../nested/fold-button.tsx';
import { openness, type Section, toggled } from '../nested/tree.ts';
import { type MetricChartProps, MetricPanel } from './metric-charts.tsx';

const NARROWEST = 420;
const GAP = 12;
const ALONE = 'Not nested';

/** Charts in sections by the first name of their metrics; rows of charts are mounted as they come into view, however many there are. */
export function ChartSections({
  sections,
  fold,
  onFold,
  ...chart
}: { sections: Section[]; fold: string[]; onFold: (fold: string[]) => void } & Omit<MetricChartProps, 'metric'>) {
  const { ref, width } = useElementSize();
  const box = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  // Whatever grows or shrinks above moves the place where the charts begin, and changes the height of the page.
  useLayoutEffect(() => {
    const place = () => {
      if (box.current !== null) setTop(Math.round(box.current.getBoundingClientRect().top + window.scrollY));
    };
    place();
    const watch = new ResizeObserver(place);
    watch.observe(document.body);
    return () => watch.disconnect();
  }, []);
  const across = Math.max(1, Math.floor((width + GAP) / (NARROWEST + GAP)));
  const rows = useMemo(() => {
    const isOpen = openness(fold);
    // Where nothing is nested there is nothing to close.
    const titled = sections.length > 1 || sections[0]?.path !== '';
    return sections.flatMap((section) => {
      const open = !titled || isOpen(section.path);
      const charts: { metrics: string[] }[] = [];
      if (open) for (let i = 0; i < section.keys.length; i += across) charts.push({ metrics: section.keys.slice(i, i + across) });
      return [...(titled ? [{ section, open }] : []), ...charts];
    });
  }, [sections, fold, across]);
  const view = useWindowVirtualizer({
    count: rows.length,
    estimateSize: (i) => ('section' in (rows[i] ?? {}) ? 34 : 250),
    overscan: 2,
    scrollMargin: top,
    getItemKey: (i) => {
      const row = rows[i];
      return row === undefined ? i : 'section' in row ? `s${row.section.path}` : `m${row.metrics[0]}`;
    },
  });
  return (
    <div ref={ref}>
      <div ref={box} style={{ height: view.getTotalSize(), position: 'relative' }}>
        {view.getVirtualItems().map((item) => {
          const row = rows[item.index];
          if (row === undefined) return null;
          return (
            <div
              key={item.key}
              ref={view.measureElement}
              data-index={item.index}
              style={{ position: 'absolute', insetInline: 0, top: 0, transform: `translateY(${item.start - top}px)`, paddingBottom: GAP }}
            >
              {'section' in row ? (
                <FoldButton
                  label={row.section.path === '' ? ALONE : row.section.path}
                  title={row.section.path === '' ? ALONE : row.section.path}
                  count={row.section.keys.length}
                  open={row.open}
                  onToggle={() => onFold(toggled(fold, row.section.path))}
                />
              ) : (
                <div style={{ display: 'grid', gridTemplateColumns: `repeat(${across}, minmax(0, 1fr))`, gap: GAP }}>
                  {row.metrics.map((metric) => (
                    <MetricPanel key={metric} metric={metric} {...chart} />
                  ))}
                </div>
              )}
            </div>
          );
        })}
      </div>
    </div>
  );
}
