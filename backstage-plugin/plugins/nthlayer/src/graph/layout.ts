import type { Graph, GraphEdge, GraphNode } from '@nthlayer/backstage-plugin-nthlayer-common';

/** A node with its place: the middle of its box. */
export type Placed = GraphNode & { x: number; y: number };

/** An edge between two places. */
export type Drawn = GraphEdge & { from: Placed; to: Placed };

export type Layout = { nodes: Placed[]; edges: Drawn[]; width: number; height: number };

export const BOX = { width: 188, height: 44 };
const GAP = { x: 92, y: 20 };

/** Sweeps that bring neighbours near each other; more change hardly anything. */
const SWEEPS = 4;

/**
 * Places a graph in columns: who needs the centre to its left, what it needs to its right, each as many columns away as
 * there are steps. A library that lays out any graph would bring ten times the code for what columns show better here.
 */
export function layOut(graph: Graph, centre: string): Layout {
  const columns = columnsOf(graph, centre);
  const neighbours = neighboursOf(graph.edges);
  const rows = new Map<string, number>();
  for (const column of columns.values()) column.forEach((ref, row) => rows.set(ref, row - (column.length - 1) / 2));
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    for (const column of columns.values()) arrange(column, neighbours, rows);
  }
  const numbers = [...columns.keys()].sort((a, b) => a - b);
  const tallest = Math.max(1, ...[...columns.values()].map(column => column.length));
  const width = numbers.length * (BOX.width + GAP.x) - GAP.x;
  const height = tallest * (BOX.height + GAP.y) - GAP.y;
  const places = new Map<string, { x: number; y: number }>();
  numbers.forEach((number, index) => {
    for (const ref of columns.get(number)!) {
      places.set(ref, {
        x: index * (BOX.width + GAP.x) + BOX.width / 2,
        y: height / 2 + rows.get(ref)! * (BOX.height + GAP.y),
      });
    }
  });
  const nodes = graph.nodes.map(node => ({ ...node, ...places.get(node.ref)! }));
  const byRef = new Map(nodes.map(node => [node.ref, node]));
  const edges = graph.edges.flatMap(edge => {
    const from = byRef.get(edge.source);
    const to = byRef.get(edge.target);
    return from && to ? [{ ...edge, from, to }] : [];
  });
  return { nodes, edges, width, height };
}

/** From whom to whom need goes: who provides an API is needed by it, not the other way round. */
function needs(edge: GraphEdge): [string, string] {
  return edge.relation === 'providesApi' ? [edge.target, edge.source] : [edge.source, edge.target];
}

/** References by column: 0 is the centre, negative ones need it, positive ones are needed by it. */
function columnsOf(graph: Graph, centre: string): Map<number, string[]> {
  const found = new Map([[centre, 0]]);
  const queue = [centre];
  for (const ref of queue) {
    const at = found.get(ref)!;
    for (const edge of graph.edges) {
      const [needing, needed] = needs(edge);
      const next: [string, number] | undefined =
        needing === ref ? [needed, at + 1] : needed === ref ? [needing, at - 1] : undefined;
      // Away from the centre only: what needs a dependency of it is beside the matter.
      if (next && !found.has(next[0]) && (at === 0 || Math.sign(next[1] - at) === Math.sign(at))) {
        found.set(...next);
        queue.push(next[0]);
      }
    }
  }
  const columns = new Map<number, string[]>();
  for (const { ref } of graph.nodes) {
    const column = found.get(ref);
    if (column !== undefined) columns.set(column, [...(columns.get(column) ?? []), ref]);
  }
  return columns;
}

/** The part of a graph that is placed: what leads to the centre or away from it. */
export function around(graph: Graph, centre: string): Graph {
  const refs = new Set([...columnsOf(graph, centre).values()].flat());
  return {
    nodes: graph.nodes.filter(node => refs.has(node.ref)),
    edges: graph.edges.filter(edge => refs.has(edge.source) && refs.has(edge.target)),
  };
}

function neighboursOf(edges: readonly GraphEdge[]): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const { source, target } of edges) {
    found.set(source, [...(found.get(source) ?? []), target]);
    found.set(target, [...(found.get(target) ?? []), source]);
  }
  return found;
}

/** Orders a column by where the neighbours of its nodes stand. */
function arrange(column: string[], neighbours: Map<string, string[]>, rows: Map<string, number>) {
  const wish = new Map(
    column.map(ref => {
      const near = (neighbours.get(ref) ?? []).flatMap(other => rows.get(other) ?? []);
      return [ref, near.length ? near.reduce((sum, row) => sum + row, 0) / near.length : rows.get(ref)!];
    }),
  );
  column.sort((a, b) => wish.get(a)! - wish.get(b)! || a.localeCompare(b));
  column.forEach((ref, row) => rows.set(ref, row - (column.length - 1) / 2));
}
