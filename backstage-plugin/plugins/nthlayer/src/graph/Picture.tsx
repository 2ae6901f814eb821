import { useId, useMemo } from 'react';
import { ButtonIcon, Flex } from '@backstage/ui';
import { RiAddLine, RiFullscreenLine, RiSubtractLine } from '@remixicon/react';
import { useEntityRefLink } from '@backstage/plugin-catalog-react';
import type { Graph } from '@nthlayer/backstage-plugin-nthlayer-common';
import { BOX, layOut, type Drawn, type Placed } from './layout';
import { useViewport } from './useViewport';
import classes from './Picture.module.css';

type Props = { graph: Graph; centre: string; reached: ReadonlySet<string> };

/** The graph around an entity as a picture to move in. The same stands in the lists beside it, in words. */
export function Picture({ graph, centre, reached }: Props) {
  const id = useId();
  const layout = useMemo(() => layOut(graph, centre), [graph, centre]);
  const { frame, viewBox, nearer, further, fit, handlers } = useViewport(layout.width, layout.height);
  return (
    <div className={classes.frame}>
      <svg
        ref={frame}
        className={classes.picture}
        viewBox={viewBox}
        role="application"
        aria-roledescription="graph"
        aria-label="Dependencies: arrow keys move, plus and minus zoom, zero shows all, Tab goes from entity to entity"
        tabIndex={0}
        {...handlers}
      >
        <defs>
          <marker id={id} viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">
            <path d="M0 0 8 4 0 8z" className={classes.head} />
          </marker>
        </defs>
        {layout.edges.map(edge => (
          <Edge key={`${edge.source} ${edge.relation} ${edge.target}`} edge={edge} marker={id} />
        ))}
        {layout.nodes.map(node => (
          <Node key={node.ref} node={node} centre={node.ref === centre} reached={reached.has(node.ref)} />
        ))}
      </svg>
      <Flex className={classes.controls} gap="1">
        <ButtonIcon size="small" variant="secondary" aria-label="Zoom in" icon={<RiAddLine />} onPress={nearer} />
        <ButtonIcon size="small" variant="secondary" aria-label="Zoom out" icon={<RiSubtractLine />} onPress={further} />
        <ButtonIcon size="small" variant="secondary" aria-label="Show all" icon={<RiFullscreenLine />} onPress={fit} />
      </Flex>
    </div>
  );
}

function Edge({ edge, marker }: { edge: Drawn; marker: string }) {
  const { from, to } = edge;
  const side = Math.sign(to.x - from.x) || 1;
  const [x1, x2] = [from.x + (side * BOX.width) / 2, to.x - (side * BOX.width) / 2];
  const bend = (side * Math.abs(x2 - x1)) / 2 || 40;
  return (
    <path
      className={`${classes.edge} ${edge.confidence < 1 ? classes.guessed : ''}`}
      d={`M${x1} ${from.y}C${x1 + bend} ${from.y} ${x2 - bend} ${to.y} ${x2} ${to.y}`}
      markerEnd={`url(#${marker})`}
    >
      <title>{`${edge.relation}, said by ${edge.origins.join(', ')}`}</title>
    </path>
  );
}

function Node({ node, centre, reached }: { node: Placed; centre: boolean; reached: boolean }) {
  const link = useEntityRefLink();
  const words = [
    node.name,
    node.kind,
    node.tier && `tier ${node.tier}`,
    reached && 'reached by a failure',
    !node.known && 'in no source',
  ];
  const label = words.filter(Boolean).join(', ');
  const box = (
    <g transform={`translate(${node.x - BOX.width / 2} ${node.y - BOX.height / 2})`}>
      <title>{label}</title>
      <rect
        width={BOX.width}
        height={BOX.height}
        rx="6"
        className={`${classes.box} ${centre ? classes.centre : ''} ${reached ? classes.reached : ''}`}
      />
      <text x="12" y="19" className={classes.name}>
        {shortened(node.name)}
      </text>
      <text x="12" y="34" className={classes.kind}>
        {[node.kind, node.tier && `tier ${node.tier}`, reached && 'suffers'].filter(Boolean).join(' · ')}
      </text>
    </g>
  );
  return node.known && !centre ? (
    <a href={link(node.ref)} aria-label={label} className={classes.link}>
      {box}
    </a>
  ) : (
    box
  );
}

function shortened(name: string): string {
  return name.length > 21 ? `${name.slice(0, 20)}…` : name;
}
