/** A line of a file, and the path of the value that stands on it, as NthLayer explains values; '' where none does. */
export type Line = { text: string; path: string };

/** The lines of a file. JSON is laid out first: for machines it is written without breaks. */
export function linesOf(text: string, mediaType: string): Line[] {
  if (mediaType === 'application/json') {
    try {
      return jsonLines(JSON.parse(text));
    } catch {
      // It is shown as it is.
    }
  }
  const lines = text.replace(/\n$/, '').split('\n');
  if (mediaType === 'application/yaml') return yamlLines(lines);
  return lines.map((line, index) => ({ text: line, path: `line ${index + 1}` }));
}

function jsonLines(value: unknown, path = '', depth = 0, before = '', after = ''): Line[] {
  const indent = '  '.repeat(depth);
  const entries: [string, unknown, string][] = Array.isArray(value)
    ? value.map((each, index) => [`${path}[${index}]`, each, ''])
    : typeof value === 'object' && value !== null
      ? Object.entries(value).map(([key, each]) => [path ? `${path}.${key}` : key, each, `${JSON.stringify(key)}: `])
      : [];
  if (entries.length === 0) return [{ text: `${indent}${before}${JSON.stringify(value)}${after}`, path }];
  const [open, close] = Array.isArray(value) ? '[]' : '{}';
  return [
    { text: `${indent}${before}${open}`, path: '' },
    ...entries.flatMap(([below, each, key], index) =>
      jsonLines(each, below, depth + 1, key, index < entries.length - 1 ? ',' : ''),
    ),
    { text: `${indent}${close}${after}`, path: '' },
  ];
}

/** A mapping or a sequence that is open: where its entries begin, its path, and that of its last entry. */
type Open = { column: number; path: string; last: string; count: number; sequence: boolean };

const KEY = /^("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s"'#[{][^#]*?):(?:\s+(.*))?$/;
const DOCUMENT = /^---(?:\s|$)/;
const BLOCK = /^(?:[&!]\S+ )*[|>][-+\d]*(?:\s+#.*)?$/;

/** Follows block-style YAML, as NthLayer writes it, by its indentation. What it cannot follow has no path. */
function yamlLines(lines: string[]): Line[] {
  const open: Open[] = [];
  let block: { column: number; path: string } | undefined;
  // Of several documents each is told apart by its number.
  const several = lines.slice(1).some(line => DOCUMENT.test(line));
  let document = 0;

  const at = (column: number, sequence: boolean): Open => {
    while (open.length && open[open.length - 1].column > column) open.pop();
    let top = open[open.length - 1];
    // The dashes of a sequence may stand in the column of the key that it belongs to.
    if (top?.column === column && top.sequence && !sequence) {
      open.pop();
      top = open[open.length - 1];
    }
    if (top?.column === column && top.sequence === sequence) return top;
    const made = { column, path: top?.last ?? (several ? `[${document}]` : ''), last: '', count: 0, sequence };
    open.push(made);
    return made;
  };

  return lines.map((text, index) => {
    if (DOCUMENT.test(text)) {
      open.length = 0;
      block = undefined;
      if (index > 0) document += 1;
      return { text, path: '' };
    }
    let column = text.search(/\S/);
    if (block && (column === -1 || column > block.column)) return { text, path: block.path };
    block = undefined;
    if (column === -1 || text[column] === '#') return { text, path: '' };
    let rest = text.slice(column);
    let path = '';
    let inside = column;
    for (let dash = /^-(\s+|$)/.exec(rest); dash; dash = /^-(\s+|$)/.exec(rest)) {
      const sequence = at(column, true);
      sequence.last = path = `${sequence.path}[${sequence.count++}]`;
      inside = column;
      column += dash[0].length;
      rest = rest.slice(dash[0].length);
    }
    const key = KEY.exec(rest);
    if (key) {
      const mapping = at(column, false);
      const name = unquoted(key[1]);
      mapping.last = path = mapping.path ? `${mapping.path}.${name}` : name;
      inside = column;
      rest = key[2] ?? '';
    }
    if (BLOCK.test(rest)) block = { column: inside, path };
    return { text, path: rest ? path : '' };
  });
}

function unquoted(key: string): string {
  if (key.startsWith('"')) {
    try {
      return String(JSON.parse(key));
    } catch {
      return key.slice(1, -1);
    }
  }
  return key.startsWith("'") ? key.slice(1, -1).replaceAll("''", "'") : key;
}
