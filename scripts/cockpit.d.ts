import type { Format } from 'esbuild';

export function browserBundle(root: string, entry: string, format: Format): Promise<string>;
export function cockpitPage(root: string): Promise<string>;
