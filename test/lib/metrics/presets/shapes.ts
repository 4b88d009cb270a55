import { SHAPES as SERVERS, type Shape } from './pages.js';
import { MORE_SHAPES } from './pages-of-proxies.js';
import { VARIANT_SHAPES } from './pages-of-variants.js';

/** The page of every preset, by its name. */
export const SHAPES: Readonly<Record<string, Shape>> = { ...SERVERS, ...MORE_SHAPES, ...VARIANT_SHAPES };
