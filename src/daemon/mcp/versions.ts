/** Versions of the protocol with `initialize`, newest first: all that were published. */
export const LEGACY_VERSIONS: string[] = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'];

/** Those in which each request says all. */
export const MODERN_VERSIONS: readonly string[] = ['2026-07-28'];
