import { useId, useMemo, type MouseEvent } from 'react';
import { useHref, useNavigate } from 'react-router-dom';
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
  return (
    <path
      className={`${classes.edge} ${edge.confidence < 1 ? classes.guessed : ''}`}
      d={curve(edge)}
      markerEnd={`url(#${marker})`}
    >
      <title>{`${edge.relation}, said by ${edge.origins.join(', ')}`}</title>
    </path>
  );
}

/** From side to side, or around the right side where both stand in one column. */
function curve({ from, to }: Drawn): string {
  const side = Math.sign(to.x - from.x);
  const x1 = from.x + ((side || 1) * BOX.width) / 2;
  const x2 = to.x - ((side || -1) * BOX.width) / 2;
  const bend = side ? (x2 - x1) / 2 : AROUND;
  return `M${x1} ${from.y}C${x1 + bend} ${from.y} ${side ? x2 - bend : x2 + bend} ${to.y} ${x2} ${to.y}`;
}

/** How far an edge within a column bends out. */
const AROUND = 44;

function Node({ node, centre, reached }: { node: Placed; centre: boolean; reached: boolean }) {
  const page = `${useEntityRefLink()(node.ref)}${node.kind === 'component' ? '/nthlayer?view=dependencies' : ''}`;
  const href = useHref(page);
  const navigate = useNavigate();
  const words = [node.kind, node.tier && `tier ${node.tier}`, reached && 'suffers', !node.known && 'in no source'];
  const box = (
    <g transform={`translate(${node.x - BOX.width / 2} ${node.y - BOX.height / 2})`}>
      {node.name.length > LONGEST && <title>{node.name}</title>}
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
        {words.filter(Boolean).join(' · ')}
      </text>
    </g>
  );
  return node.known && !centre ? (
    <a href={href} className={classes.link} onClick={event => follow(event, () => navigate(page))}>
      {box}
    </a>
  ) : (
    box
  );
}

/** Opens a page without loading the app anew, unless it is asked for in another window. */
function follow(event: MouseEvent, open: () => void) {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  open();
}

/** Characters of a name that fit in a box. */
const LONGEST = 23;

function shortened(name: string): string {
  return name.length > LONGEST ? `${name.slice(0, LONGEST - 1)}…` : name;
}
