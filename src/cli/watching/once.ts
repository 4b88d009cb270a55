import type { Watching } from '../../lib/app/watching/index.js';
import {
  type CanaryRecord,
  canaryView,
  headOf,
  numbersOf,
  standingOf,
  type TreeNode,
  treeOf,
} from '../../lib/view/index.js';
import { paint } from '../present.js';
import { beside, block, blocks, type Styled } from '../screen.js';
import { alignedTo, canaryTable, gateTable, jobTable, TONES } from './tables.js';

type Pen = ReturnType<typeof paint>;

/** Reads lists once. @throws LukhasError as `Watching.follow` */
export async function readOnce(watching: Watching, signal: AbortSignal): Promise<void> {
  const end = new AbortController();
  const changed = (): void => {
    if (watching.connection.heardAt !== null) end.abort();
  };
  await watching.follow(changed, AbortSignal.any([signal, end.signal]));
  signal.throwIfAborted();
}

/** Canaries, jobs and gates as they stand. */
export function listOnce({ overview }: Watching, now: number, noColor: boolean | undefined): Styled {
  const pen = paint(process.stdout, noColor);
  const { canaries, jobs } = overview.older;
  const older = canaries + jobs === 0 ? [] : [`${canaries} older canaries and ${jobs} older jobs are not listed`];
  const parts = [canaryTable(overview, now, pen), jobTable(overview, pen), gateTable(overview), ...older];
  return blocks(parts.filter((part) => part !== null));
}

/** One canary as a tree. */
export function treeOnce(record: CanaryRecord, now: number, noColor: boolean | undefined): Styled {
  const view = canaryView(record)!;
  const pen = paint(process.stdout, noColor);
  const head = headOf(view).map(([name, value]) => beside(pen(`${name}:`.padEnd(11), 'bold'), ' ', value));
  const lines = branches(treeOf(view, record, now), '', '');
  const widths = [0, 1, 2].map((i) => Math.max(...lines.map(({ cells }) => [...cells[i]!].length)));
  const tree = lines.map((line) => drawn(line, widths, pen));
  const title = ['NAME', 'STATUS', 'TIME OR N'].map((name, i) => name.padEnd(widths[i]!)).join('  ');
  return blocks([block(head), block([`${title}  INFO`, ...tree])]);
}

/** What a program reads of it. */
export function recordOnce(record: CanaryRecord): object {
  const { row, verdict, canary } = standingOf(record)!;
  return { canary: row, numbers: verdict === null ? null : numbersOf(verdict, canary.policy, canary.extended) };
}

interface Branch {
  node: TreeNode;
  /** Lines that lead to it, then its icon, kind and name; status; age; the rest. */
  stem: string;
  cells: [name: string, status: string, age: string, info: string];
}

function branches(node: TreeNode, stem: string, below: string): Branch[] {
  const { icon, kind, name, status, age, info, children } = node;
  const label = `${stem}${icon} ${kind}${name === '' ? '' : `/${name}`}`;
  const own: Branch = { node, stem, cells: [label, status, age, info] };
  return [
    own,
    ...children.flatMap((child, i) => {
      const last = i === children.length - 1;
      return branches(child, `${below}${last ? '└── ' : '├── '}`, `${below}${last ? '    ' : '│   '}`);
    }),
  ];
}

function drawn({ node, stem, cells }: Branch, widths: readonly number[], pen: Pen): Styled {
  const last = cells.findLastIndex((cell) => cell !== '');
  const [label = '', status = '', ...rest] = cells
    .slice(0, last + 1)
    .map((cell, i) => (i === last ? cell : alignedTo(cell, widths[i] ?? 0)));
  const style = TONES[node.tone];
  const name = label.slice(stem.length + node.icon.length);
  return beside(stem, pen(node.icon, ...style), `${name}  `, pen(status, ...style), ...rest.map((cell) => `  ${cell}`));
}
