import * as z from 'zod';
import { defineTool } from './tool.js';

export const verifyLog = defineTool({
  name: 'verify_log',
  title: 'Verify the log',
  toolset: 'log',
  description: 'Recomputes every hash of the log and reports any change. Can take long.',
  input: z.strictObject({}),
  output: z.looseObject({ ok: z.boolean() }),
  run: (service, _, { signal }) => service.verifyLog(signal),
});
