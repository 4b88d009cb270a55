import { expect } from 'chai';
import { type ErrorCode, LukhasError } from '../../../src/lib/errors.js';

/** Message of the error that `run` has to be refused with. */
export function refusal(run: () => unknown, code: ErrorCode = 'VERIFICATION'): string {
  try {
    run();
  } catch (error) {
    expect(error).to.be.instanceOf(LukhasError);
    expect((error as LukhasError).code).to.equal(code);
    return (error as LukhasError).message;
  }
  throw new Error('was accepted');
}
