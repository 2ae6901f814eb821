import { describe, expect, it } from 'vitest';
import { compare } from './lines';

const said = (before: string, after: string) =>
  compare(before, after).map(line => (line.sort === 'folded' ? `(${line.count})` : `${line.sort} ${line.text}`));

describe('a comparison', () => {
  it('finds the fewest edits, and folds what stays', () => {
    const lines = Array.from({ length: 20 }, (_, index) => `line ${index}`);
    const after = [...lines];
    after.splice(10, 1, 'other');
    expect(said(lines.join('\n'), after.join('\n'))).toEqual([
      '(7)',
      'same line 7',
      'same line 8',
      'same line 9',
      'gone line 10',
      'new other',
      'same line 11',
      'same line 12',
      'same line 13',
      '(6)',
    ]);
  });

  it.each([
    ['', 'a\nb\n', ['new a', 'new b']],
    ['a\nb\n', '', ['gone a', 'gone b']],
    ['', '', []],
    ['a\n', 'a\n', ['(1)']],
    ['a\nb\nc\na\nb\nb\na', 'c\nb\na\nb\na\nc', undefined],
  ])('gives both sides back: %j to %j', (before, after, expected) => {
    const found = said(before, after);
    if (expected) expect(found).toEqual(expected);
    const side = (gone: string) =>
      compare(before, after).flatMap(line =>
        line.sort === 'folded' ? Array<string>(line.count).fill('a') : line.sort === 'same' || line.sort === gone ? [line.text] : [],
      );
    const split = (text: string) => (text ? text.replace(/\n$/, '').split('\n') : []);
    expect(side('gone')).toEqual(split(before));
    expect(side('new')).toEqual(split(after));
  });

  it('is quick where nothing is alike', () => {
    const many = (word: string) => Array.from({ length: 5000 }, (_, index) => `${word} ${index}`).join('\n');
    const began = performance.now();
    expect(compare(many('a'), many('b'))).toHaveLength(10_000);
    expect(performance.now() - began).toBeLessThan(5000);
  });
});
