import { LukhasError } from '../../src/lib/errors.js';

/** The error that the attempt has to be refused with; what is no refusal is thrown on. */
export async function refusal(attempt: Promise<unknown>): Promise<LukhasError> {
  try {
    await attempt;
  } catch (error) {
    if (error instanceof LukhasError) return error;
    throw error;
  }
  throw new Error('it was accepted');
}
