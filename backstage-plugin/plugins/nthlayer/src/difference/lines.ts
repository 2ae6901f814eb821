/** A line of a comparison: on both sides, gone, new, or a stretch of lines that stayed and are folded away. */
export type Compared =
  | { sort: 'same' | 'gone' | 'new'; text: string }
  | { sort: 'folded'; count: number };

/** Lines shown around what differs. */
const CONTEXT = 3;
/** Differing lines beyond which the fewest edits are not looked for: all old lines go, all new ones come. */
const MOST = 1000;

/** Compares two texts line by line, and folds long stretches that stayed. */
export function compare(before: string, after: string): Compared[] {
  return folded(edits(split(before), split(after)));
}

function split(text: string): string[] {
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}

type Edit = { sort: 'same' | 'gone' | 'new'; text: string };

function edits(before: string[], after: string[]): Edit[] {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start += 1;
  let end = 0;
  const most = Math.min(before.length, after.length) - start;
  while (end < most && before[before.length - 1 - end] === after[after.length - 1 - end]) end += 1;
  return [
    ...before.slice(0, start).map(same),
    ...middle(before.slice(start, before.length - end), after.slice(start, after.length - end)),
    ...before.slice(before.length - end).map(same),
  ];
}

function same(text: string): Edit {
  return { sort: 'same', text };
}

/** The fewest edits (E. Myers, An O(ND) Difference Algorithm and Its Variations, 1986). */
function middle(before: string[], after: string[]): Edit[] {
  const longest = Math.min(before.length + after.length, MOST);
  const reached: Map<number, number>[] = [];
  let furthest = new Map<number, number>([[1, 0]]);
  for (let cost = 0; cost <= longest; cost += 1) {
    reached.push(furthest);
    furthest = new Map(furthest);
    for (let diagonal = -cost; diagonal <= cost; diagonal += 2) {
      let x = down(furthest, diagonal, cost) ? furthest.get(diagonal + 1)! : furthest.get(diagonal - 1)! + 1;
      while (x < before.length && x - diagonal < after.length && before[x] === after[x - diagonal]) x += 1;
      furthest.set(diagonal, x);
      if (x >= before.length && x - diagonal >= after.length) return walkedBack(reached, before, after);
    }
  }
  return [
    ...before.map((text): Edit => ({ sort: 'gone', text })),
    ...after.map((text): Edit => ({ sort: 'new', text })),
  ];
}

/** Whether the furthest way to a diagonal comes from above: a line of `after` is taken. */
function down(furthest: Map<number, number>, diagonal: number, cost: number): boolean {
  return (
    diagonal === -cost || (diagonal !== cost && furthest.get(diagonal - 1)! < furthest.get(diagonal + 1)!)
  );
}

function walkedBack(reached: Map<number, number>[], before: string[], after: string[]): Edit[] {
  const found: Edit[] = [];
  let x = before.length;
  let y = after.length;
  for (let cost = reached.length - 1; cost >= 0; cost -= 1) {
    const furthest = reached[cost];
    const from = x - y + (down(furthest, x - y, cost) ? 1 : -1);
    const startX = cost === 0 ? 0 : furthest.get(from)!;
    const startY = cost === 0 ? 0 : startX - from;
    while (x > startX && y > startY) {
      found.push(same(before[--x]));
      y -= 1;
    }
    if (cost > 0) found.push(x === startX ? { sort: 'new', text: after[--y] } : { sort: 'gone', text: before[--x] });
  }
  return found.reverse();
}

function folded(lines: Edit[]): Compared[] {
  const near = new Set<number>();
  lines.forEach((line, index) => {
    if (line.sort === 'same') return;
    for (let each = index - CONTEXT; each <= index + CONTEXT; each += 1) near.add(each);
  });
  const found: Compared[] = [];
  lines.forEach((line, index) => {
    const last = found[found.length - 1];
    if (near.has(index)) found.push(line);
    else if (last?.sort === 'folded') last.count += 1;
    else found.push({ sort: 'folded', count: 1 });
  });
  return found;
}
