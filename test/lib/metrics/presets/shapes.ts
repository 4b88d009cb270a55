import { SHAPES as SERVERS, type Shape } from './pages.js';
import { MORE_SHAPES } from './pages-of-proxies.js';

/** The page of every preset, by its name. */
export const SHAPES: Readonly<Record<string, Shape>> = { ...SERVERS, ...MORE_SHAPES };
