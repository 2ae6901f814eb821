/**
 * Tokens of a line, to be coloured. The files are our own and few sorts of them: YAML, JSON and Markdown, so a few
 * patterns do what a highlighting library would bring tens of kilobytes for.
 */
export type Token = { text: string; sort: Sort };
export type Sort = 'plain' | 'key' | 'string' | 'number' | 'word' | 'comment' | 'heading' | 'code';

type Pattern = [sort: Sort, pattern: string];

const STRING = String.raw`"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'`;
const NUMBER = String.raw`(?<![\w.-])-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.:/-])`;

const LANGUAGES: Record<string, RegExp> = {
  'application/yaml': patterns([
    ['comment', String.raw`(?<=^|\s)#.*$`],
    ['key', String.raw`(?<=^[\s-]*)(?:${STRING}|[^\s"'#-][^"'#]*?)(?=:(?:\s|$))`],
    ['string', STRING],
    ['number', NUMBER],
    ['word', String.raw`(?<=[:\s-])(?:true|false|null)(?=\s|$)`],
  ]),
  'application/json': patterns([
    ['key', String.raw`"(?:[^"\\]|\\.)*"(?=\s*:)`],
    ['string', String.raw`"(?:[^"\\]|\\.)*"`],
    ['number', NUMBER],
    ['word', String.raw`\b(?:true|false|null)\b`],
  ]),
  'text/markdown': patterns([
    ['comment', String.raw`<!--.*?-->`],
    ['heading', String.raw`^#{1,6} .*$`],
    ['code', '`[^`]+`'],
    ['key', String.raw`\[[^\]]*\]\([^)]*\)`],
    ['word', String.raw`\*\*[^*]+\*\*`],
  ]),
  'application/sql': patterns([
    ['comment', '--.*$'],
    ['string', String.raw`'(?:[^']|'')*'`],
    ['number', NUMBER],
    ['word', String.raw`\b(?:[A-Z]{2,})\b`],
  ]),
};

/** Longest line that is coloured: patterns over longer ones would keep the page waiting. */
const LONGEST = 2000;

export function tokensOf(line: string, mediaType: string): Token[] {
  const language = LANGUAGES[mediaType];
  if (!language || line.length > LONGEST) return [{ text: line, sort: 'plain' }];
  const tokens: Token[] = [];
  let last = 0;
  for (const match of line.matchAll(language)) {
    if (match.index > last) tokens.push({ text: line.slice(last, match.index), sort: 'plain' });
    const [sort] = Object.entries(match.groups ?? {}).find(([, text]) => text !== undefined) ?? ['plain'];
    tokens.push({ text: match[0], sort: sort as Sort });
    last = match.index + match[0].length;
  }
  if (last < line.length) tokens.push({ text: line.slice(last), sort: 'plain' });
  return tokens;
}

function patterns(of: Pattern[]): RegExp {
  return new RegExp(of.map(([sort, pattern]) => `(?<${sort}>${pattern})`).join('|'), 'g');
}
