/** Indents JSON text as it stands: parsing it would put integer-like keys first. */
export function indent(json: string): string {
  let depth = 0;
  const pad = (): string => `\n${'  '.repeat(depth)}`;
  return json.replaceAll(/"(?:[^"\\]|\\.)*"|\{\}|\[\]|[{}[\],:]/gu, (token) => {
    if (token === '{' || token === '[') {
      depth += 1;
      return token + pad();
    }
    if (token === '}' || token === ']') {
      depth -= 1;
      return pad() + token;
    }
    if (token === ',') return token + pad();
    return token === ':' ? ': ' : token;
  });
}
