import { LukhasError } from '../../../../src/lib/errors.js';
import { ZippedPack } from '../../../../src/lib/evidence/verify/zip.js';

/** Every file of a zip as verification reads it; null where it refuses one of them, or the zip. */
export async function readAll(path: string): Promise<Map<string, Buffer> | null> {
  try {
    const zip = await ZippedPack.open(path);
    try {
      const files = new Map<string, Buffer>();
      for (const name of zip.names) {
        const chunks: Buffer[] = [];
        for await (const chunk of zip.read(name)) chunks.push(chunk);
        if (files.has(name)) return null;
        files.set(name, Buffer.concat(chunks));
      }
      return files;
    } finally {
      zip.close();
    }
  } catch (error) {
    if (error instanceof LukhasError && ['VERIFICATION', 'USAGE'].includes(error.code)) return null;
    throw error;
  }
}
