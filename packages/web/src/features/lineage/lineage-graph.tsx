import '../../charts/charts.css';
import dagre from '@dagrejs/dagre';
import type { Lineage, LineageNode } from '@binnacle/contract';
import { Text } from '@mantine/core';
import { Link, useRouter } from '@tanstack/react-router';
import { useMemo } from 'react';
import { uiPath } from '../../ui/bits.tsx';

const W = 186;
const H = 46;
const KINDS: Record<Lineage['nodes'][number]['kind'], { label: string; color: string }> = {
  dataset: { label: 'dataset', color: 'var(--bn-s5)' },
  run: { label: 'run', color: 'var(--bn-s1)' },
  version: { label: 'version', color: 'var(--bn-s3)' },
  endpoint: { label: 'endpoint', color: 'var(--bn-s2)' },
  batch: { label: 'batch job', color: 'var(--bn-s4)' },
};
interface Point {
  x: number;
  y: number;
}
const right = (node: Point): Point => ({ x: node.x + W / 2, y: node.y });
const left = (node: Point): Point => ({ x: node.x - W / 2, y: node.y });
const cut = (text: string, length: number): string => (text.length > length ? `${text.slice(0, length - 1)}…` : text);

/** From dataset over run and version to endpoint, left to right; nodes are links. */
export function LineageGraph({ lineage }: { lineage: Lineage }) {
  const router = useRouter();
  const layout = useMemo(() => {
    const graph = new dagre.graphlib.Graph();
    graph.setGraph({ rankdir: 'LR', nodesep: 20, ranksep: 90, marginx: 6, marginy: 6 });
    graph.setDefaultEdgeLabel(() => ({}));
    for (const node of lineage.nodes) graph.setNode(node.id, { width: W, height: H });
    for (const edge of lineage.edges) if (graph.hasNode(edge.from) && graph.hasNode(edge.to)) graph.setEdge(edge.from, edge.to, {});
    dagre.layout(graph);
    const size = graph.graph();
    return {
      width: Math.ceil(size.width ?? W),
      height: Math.ceil(size.height ?? H),
      nodes: lineage.nodes.map((node) => ({ ...node, x: graph.node(node.id).x, y: graph.node(node.id).y })),
      edges: lineage.edges
        .filter((e) => graph.hasEdge(e.from, e.to))
        .map((e) => ({ ...e, points: route(right(graph.node(e.from)), (graph.edge(e.from, e.to) as { points: Point[] }).points, left(graph.node(e.to))) })),
    };
  }, [lineage]);
  if (lineage.nodes.length === 0)
    return (
      <Text c="dimmed" size="sm">
        Nothing is connected to this model yet.
      </Text>
    );
  return (
    <>
      <div style={{ overflow: 'auto', maxHeight: 640 }} tabIndex={0} role="group" aria-label="Lineage graph">
        <svg
          width={layout.width}
          height={layout.height}
          role="group"
          aria-label={`Lineage: ${lineage.nodes.length} nodes, ${lineage.edges.length} connections`}
        >
          <defs>
            <marker id="lineage-arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">
              <path d="M0 0 8 4 0 8z" fill="var(--bn-muted)" />
            </marker>
          </defs>
          {layout.edges.map((edge) => {
            // Where many lines cross, labels would cover each other: the line's tooltip has it then.
            const alone = layout.edges.filter((e) => e.from === edge.from).length === 1 || layout.edges.filter((e) => e.to === edge.to).length === 1;
            const middle = alone ? labelPoint(edge.points) : undefined;
            return (
              <g key={`${edge.from}→${edge.to}→${edge.label}`}>
                <path d={curve(edge.points)} fill="none" stroke="var(--bn-muted)" strokeOpacity={0.6} strokeWidth={1.3} markerEnd="url(#lineage-arrow)">
                  <title>{edge.label}</title>
                </path>
                {edge.label !== '' && middle !== undefined && (
                  <text
                    className="bn-axis"
                    x={middle.x}
                    y={middle.y - 5}
                    textAnchor="middle"
                    style={{ fontSize: 10, paintOrder: 'stroke', stroke: 'var(--mantine-color-body)', strokeWidth: 3 }}
                  >
                    {cut(edge.label, 18)}
                  </text>
                )}
              </g>
            );
          })}
          {layout.nodes.map((node) => {
            const kind = KINDS[node.kind];
            const box = (
              <g transform={`translate(${node.x - W / 2} ${node.y - H / 2})`}>
                <title>{`${kind.label}: ${node.label}\n${node.detail}`}</title>
                <rect width={W} height={H} rx={6} fill="var(--mantine-color-body)" stroke="var(--bn-border)" strokeWidth={1.2} />
                <rect width={4} height={H} rx={2} fill={kind.color} />
                <text x={13} y={19} style={{ fontSize: 12.5, fontWeight: 600, fill: node.href === null ? 'var(--bn-ink)' : 'var(--mantine-color-anchor)' }}>
                  {cut(node.label, 25)}
                </text>
                <text x={13} y={35} className="bn-axis">
                  {cut(`${kind.label}${node.detail === '' ? '' : ` · ${node.detail}`}`, 26)}
                </text>
              </g>
            );
            return node.href === null ? (
              <g key={node.id}>{box}</g>
            ) : (
              <a
                key={node.id}
                href={uiPath(node.href)}
                aria-label={`${kind.label} ${node.label}`}
                onClick={(e) => {
                  if (e.metaKey || e.ctrlKey) return;
                  e.preventDefault();
                  router.history.push(uiPath(node.href as string));
                }}
              >
                {box}
              </a>
            );
          })}
        </svg>
      </div>
      <LineageList lineage={lineage} />
    </>
  );
}

/** The same in words, for those who do not see the graph, and to search and copy. */
function LineageList({ lineage }: { lineage: Lineage }) {
  const nodes = new Map(lineage.nodes.map((node) => [node.id, node]));
  const alone = lineage.nodes.filter((node) => !lineage.edges.some((edge) => edge.from === node.id || edge.to === node.id));
  return (
    <details style={{ marginTop: 8, fontSize: 13 }}>
      <summary style={{ cursor: 'pointer', color: 'var(--bn-muted)' }}>As a list</summary>
      <ul style={{ margin: '6px 0 0', paddingLeft: '1.4em' }}>
        {lineage.edges.map((edge) => (
          <li key={`${edge.from}→${edge.to}`} className="break">
            <NodeName node={nodes.get(edge.from)} /> <span style={{ color: 'var(--bn-muted)' }}>→ {edge.label} →</span> <NodeName node={nodes.get(edge.to)} />
          </li>
        ))}
        {alone.map((node) => (
          <li key={node.id} className="break">
            <NodeName node={node} />, connected to nothing
          </li>
        ))}
      </ul>
    </details>
  );
}

function NodeName({ node }: { node: LineageNode | undefined }) {
  if (node === undefined) return null;
  const text = `${KINDS[node.kind].label} ${node.label}${node.detail === '' ? '' : ` (${node.detail})`}`;
  return node.href === null ? (
    <span>{text}</span>
  ) : (
    <Link to={node.href} className="bn-link inline">
      {text}
    </Link>
  );
}

/** From the right of one node to the left of the next; dagre's bends matter only where an edge passes other ranks. */
const route = (from: Point, bends: Point[], to: Point): Point[] => (bends.length <= 3 ? [from, to] : [from, ...bends.slice(1, -1), to]);

/** Past the middle of the first piece, where edges that leave one node have parted and those into one have not met. */
function labelPoint(points: Point[]): Point | undefined {
  const [a, b] = points;
  if (a === undefined || b === undefined) return undefined;
  const t = 0.56;
  const ease = 3 * t * t - 2 * t * t * t;
  return { x: a.x + (b.x - a.x) * t, y: a.y + (b.y - a.y) * ease };
}

/** A smooth line through dagre's bend points. */
function curve(points: Point[]): string {
  const [first, ...rest] = points;
  if (first === undefined) return '';
  let path = `M${first.x} ${first.y}`;
  rest.forEach((point, i) => {
    const before = i === 0 ? first : (rest[i - 1] as Point);
    const middle = (before.x + point.x) / 2;
    path += `C${middle} ${before.y} ${middle} ${point.y} ${point.x} ${point.y}`;
  });
  return path;
}
