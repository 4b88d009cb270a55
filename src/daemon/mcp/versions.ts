/** All published versions of the protocol with `initialize`, newest first. */
export const LEGACY_VERSIONS: string[] = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'];

/** Versions in which each request is self-contained. */
export const MODERN_VERSIONS: readonly string[] = ['2026-07-28'];
