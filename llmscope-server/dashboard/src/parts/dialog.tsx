import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef } from "preact/hooks";

interface Props {
  title: string;
  onClose: () => void;
  testId: string;
  children: ComponentChildren;
}

/** A native modal dialog that is open while it is mounted. Escape closes it. */
export function Dialog({ title, onClose, testId, children }: Props) {
  const own = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useLayoutEffect(() => {
    const before = document.activeElement;
    own.current?.showModal();
    return () => before instanceof HTMLElement && before.focus();
  }, []);
  return (
    <dialog ref={own} aria-labelledby={heading} data-testid={testId} onClose={onClose}>
      <h2 id={heading}>{title}</h2>
      {children}
    </dialog>
  );
}
