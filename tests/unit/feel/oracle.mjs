// The same language in JavaScript: reads one JSON line {expression, context} or {test, value, context} at a time
// and writes one JSON line {value} or {error} each.
import { createInterface } from 'node:readline';
import { evaluate, unaryTest, isRange, isFunction } from 'feelin';

function plain(value) {
  if (value === undefined) return null;
  if (value === null || typeof value !== 'object') {
    return typeof value === 'function' ? { $function: true } : typeof value === 'number' && !Number.isFinite(value) ? null : value;
  }
  if (Array.isArray(value)) return value.map(plain);
  if (isFunction(value)) return { $function: true };
  if (isRange(value)) return { $range: [plain(value.start ?? null), plain(value.end ?? null), value['start included'], value['end included']] };
  if (typeof value.iso === 'string') return { $text: value.toString() };
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}

for await (const line of createInterface({ input: process.stdin })) {
  const { expression, test, context, value } = JSON.parse(line);
  let answer;
  try {
    const result = test === undefined ? evaluate(expression, context) : unaryTest(test, { ...context, '?': value });
    answer = { value: plain(result && typeof result === 'object' && 'warnings' in result ? result.value : result) };
  } catch (error) {
    answer = { error: String(error.message) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
