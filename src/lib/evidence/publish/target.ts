import type { UrlRules } from '../../input/index.js';

const instead = 'take them out';

/** Base of the paths of a witness. */
export const WITNESS_URL: UrlRules = { example: 'https://witness.example.com', isBase: true, instead };

/** Of a webhook and a time-stamping authority. */
export const ANCHOR_URL: UrlRules = { example: 'https://audit.example.com/checkpoints', instead };

/** Places, outside the reach of who can write to the database, that a checkpoint is told to. */
export type AnchorTarget =
  /** A line is appended to a file, meant to lie on another host's mount. */
  | { kind: 'file'; path: string }
  /** A commit in a git repository. */
  | {
      kind: 'git';
      repository: string;
      sign?: boolean | undefined;
      signingKey?: string | undefined;
      push?: boolean | undefined;
    }
  | { kind: 'webhook'; url: string }
  /** A time-stamping authority, RFC 3161, and the certificates (PEM) that its answers are verified by. */
  | { kind: 'tsa'; url: string; caFile: string };

export interface AnchorContext {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Of programs that are started. */
  env: NodeJS.ProcessEnv;
  /** Folder of the kept checkpoints. */
  folder: string;
  signal?: AbortSignal | undefined;
}

/** How a target is called in output and errors. */
export function anchorPlace(target: AnchorTarget): string {
  switch (target.kind) {
    case 'file':
      return target.path;
    case 'git':
      return target.repository;
    default:
      return target.url;
  }
}
