import type { ReactNode } from 'react';
import { Empty } from './Looked';
import classes from './DataTable.module.css';

/** A column: its heading, and what stands in it in the row of an entry. */
export type Column<T> = { title: string; cell: (row: T) => ReactNode; numeric?: boolean };

type Props<T> = {
  caption: string;
  columns: Column<T>[];
  rows: readonly T[];
  id: (row: T) => string;
  /** What is said where there are no rows. */
  empty: ReactNode;
};

/** A plain table: few rows, nothing to sort, so it needs no more than HTML has. */
export function DataTable<T>({ caption, columns, rows, id, empty }: Props<T>) {
  if (rows.length === 0) return <Empty>{empty}</Empty>;
  return (
    <div className={classes.frame} role="group" aria-label={caption} tabIndex={0}>
      <table className={classes.table}>
        <caption className={classes.caption}>{caption}</caption>
        <thead>
          <tr>
            {columns.map(column => (
              <th key={column.title} scope="col" className={column.numeric ? classes.numeric : undefined}>
                {column.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(row => (
            <tr key={id(row)}>
              {columns.map(column => (
                <td key={column.title} className={column.numeric ? classes.numeric : undefined}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
