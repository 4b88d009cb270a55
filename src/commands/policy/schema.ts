import { BaseCommand } from '../../cli/base-command.js';

export default class PolicySchema extends BaseCommand {
  static override summary = 'print the JSON Schema of policies';

  async run(): Promise<unknown> {
    await this.parse(PolicySchema);
    const { policyJsonSchema } = await import('../../lib/judge/policy-schema.js');
    const schema = policyJsonSchema();
    if (!this.jsonEnabled()) this.log(JSON.stringify(schema, null, 2));
    return schema;
  }
}
