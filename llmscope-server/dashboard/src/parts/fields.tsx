import { useEffect, useState } from "preact/hooks";
import type { Option } from "../metrics";

interface SelectProps {
  label: string;
  value: string;
  options: readonly Option[];
  onPick: (value: string) => void;
  testId: string;
  disabled?: boolean;
}

export function Select({ label, value, options, onPick, testId, disabled }: SelectProps) {
  // A value of the address that is not in the options is shown, too.
  const known = options.some(([code]) => code === value) ? options : [...options, [value, value] as const];
  return (
    <label class="field">
      <span>{label}</span>
      <select value={value} disabled={disabled} data-testid={testId} onChange={(event) => onPick(event.currentTarget.value)}>
        {known.map(([code, title]) => <option key={code} value={code}>{title}</option>)}
      </select>
    </label>
  );
}

interface TextProps {
  label: string;
  value: string;
  onCommit: (value: string) => void;
  testId: string;
  placeholder?: string;
  title?: string;
}

/** A text field that commits its value when it loses the focus or the user presses Enter. */
export function TextField({ label, value, onCommit, testId, placeholder, title }: TextProps) {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  const commit = () => text.trim() !== value && onCommit(text.trim());
  return (
    <label class="field short" title={title}>
      <span>{label}</span>
      <input
        type="text"
        value={text}
        placeholder={placeholder}
        autocomplete="off"
        spellcheck={false}
        data-testid={testId}
        onInput={(event) => setText(event.currentTarget.value)}
        onBlur={commit}
        onKeyDown={(event) => event.key === "Enter" && commit()}
      />
    </label>
  );
}

interface ChoiceProps {
  label: string;
  value: string;
  options: readonly Option[];
  onPick: (value: string) => void;
  testId: string;
}

/** A row of buttons, one of which is selected. */
export function Choice({ label, value, options, onPick, testId }: ChoiceProps) {
  return (
    <div class="choice" role="group" aria-label={label} data-testid={testId}>
      {options.map(([code, title]) => (
        <button key={code} type="button" aria-pressed={code === value} data-testid={`${testId}-${code}`} onClick={() => onPick(code)}>{title}</button>
      ))}
    </div>
  );
}
