import { describe, expect, it } from 'vitest';
import { linesOf } from './lines';
import { tokensOf } from './tokens';

const paths = (text: string, mediaType: string) => linesOf(text, mediaType).map(line => line.path);

describe('paths of lines', () => {
  it('follows mappings, sequences and blocks of YAML', () => {
    const text = [
      '# Managed',
      'groups:',
      '  - name: "a: b"',
      '    rules:',
      '      - alert: High',
      '        expr: |-',
      '          x > 1',
      '',
      '          and y',
      '        labels: {}',
      '      - alert: Low',
      '    "we.ird/key": 1',
      'items:',
      '- one',
      '- two',
      'last: true',
    ].join('\n');
    expect(paths(text, 'application/yaml')).toEqual([
      '',
      '',
      'groups[0].name',
      '',
      'groups[0].rules[0].alert',
      'groups[0].rules[0].expr',
      'groups[0].rules[0].expr',
      'groups[0].rules[0].expr',
      'groups[0].rules[0].expr',
      'groups[0].rules[0].labels',
      'groups[0].rules[1].alert',
      'groups[0].we.ird/key',
      '',
      'items[0]',
      'items[1]',
      'last',
    ]);
  });

  it('numbers several documents', () => {
    expect(paths('a: 1\n---\na: 2\n', 'application/yaml')).toEqual(['[0].a', '', '[1].a']);
  });

  it('lays out JSON', () => {
    const lines = linesOf('{"a":[1,{"b":null}],"c":{}}', 'application/json');
    expect(lines.map(line => line.text).join('\n')).toBe(JSON.stringify({ a: [1, { b: null }], c: {} }, null, 2));
    expect(lines.map(line => line.path)).toEqual(['', '', 'a[0]', '', 'a[1].b', '', '', 'c', '']);
  });

  it('shows what is no JSON as it is', () => {
    expect(linesOf('{oops', 'application/json').map(line => line.text)).toEqual(['{oops']);
  });

  it('numbers lines of other texts', () => {
    expect(paths('a\nb\n', 'text/markdown')).toEqual(['line 1', 'line 2']);
  });
});

describe('tokens', () => {
  it('loses no character', () => {
    for (const [line, mediaType] of [
      ['  - expr: "a # b" # why', 'application/yaml'],
      ['  "a": [1, true, "x"],', 'application/json'],
      ['# A `b` [c](d) <!-- e -->', 'text/markdown'],
      ["SELECT 'a' -- b", 'application/sql'],
      ['x'.repeat(5000), 'application/yaml'],
      ['anything', 'text/plain'],
    ]) {
      expect(tokensOf(line, mediaType).map(token => token.text).join('')).toBe(line);
    }
  });

  it('tells keys, values and comments apart', () => {
    const sorts = tokensOf('  - min: 3 # few', 'application/yaml').filter(token => token.sort !== 'plain');
    expect(sorts).toEqual([
      { text: 'min', sort: 'key' },
      { text: '3', sort: 'number' },
      { text: '# few', sort: 'comment' },
    ]);
  });
});
