import type { BuildResult, Format } from 'esbuild';

export function browserBundle(root: string, entry: string, format: Format): Promise<BuildResult<{ write: false }>>;
export function cockpitPage(root: string): Promise<string>;
