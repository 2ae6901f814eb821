import { useCallback, useEffect, useRef, useState, type KeyboardEvent, type PointerEvent } from 'react';

/** What part of the picture is seen: its upper left corner, and units of the picture per pixel. */
export type Viewport = { x: number; y: number; scale: number };

const NEAREST = 0.4;
const FURTHEST = 6;
/** Pixels that an arrow key moves. */
const STEP = 48;
const ZOOM = 1.25;
/** Units around the picture when all of it is seen. */
const MARGIN = 96;

/** Moves over a picture: by dragging, by the wheel with Ctrl, and by the keys + − 0 and the arrows. */
export function useViewport(width: number, height: number) {
  const frame = useRef<SVGSVGElement>(null);
  const [view, setView] = useState<Viewport>({ x: 0, y: 0, scale: 1 });
  const [size, setSize] = useState({ width: 800, height: 420 });
  const dragged = useRef<{ x: number; y: number }>();

  const fit = useCallback(() => {
    const scale = Math.min(FURTHEST, Math.max(1, (width + MARGIN) / size.width, (height + MARGIN) / size.height));
    setView({ x: (width - size.width * scale) / 2, y: (height - size.height * scale) / 2, scale });
  }, [width, height, size]);

  useEffect(fit, [fit]);

  useEffect(() => {
    const element = frame.current;
    if (!element || typeof ResizeObserver === 'undefined') return undefined;
    const observer = new ResizeObserver(([entry]) => {
      const { width: wide, height: high } = entry.contentRect;
      if (wide && high) setSize({ width: wide, height: high });
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  const move = useCallback((x: number, y: number) => {
    setView(now => ({ ...now, x: now.x + x * now.scale, y: now.y + y * now.scale }));
  }, []);

  const zoom = useCallback(
    (factor: number, at = { x: size.width / 2, y: size.height / 2 }) => {
      setView(now => {
        const scale = Math.min(FURTHEST, Math.max(NEAREST, now.scale * factor));
        return { x: now.x + at.x * (now.scale - scale), y: now.y + at.y * (now.scale - scale), scale };
      });
    },
    [size],
  );

  // React listens to the wheel passively, and then the page would scroll along.
  useEffect(() => {
    const element = frame.current;
    if (!element) return undefined;
    const onWheel = (event: WheelEvent) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      const box = element.getBoundingClientRect();
      zoom(event.deltaY > 0 ? ZOOM : 1 / ZOOM, { x: event.clientX - box.left, y: event.clientY - box.top });
    };
    element.addEventListener('wheel', onWheel, { passive: false });
    return () => element.removeEventListener('wheel', onWheel);
  }, [zoom]);

  const keys: Record<string, () => void> = {
    ArrowLeft: () => move(-STEP, 0),
    ArrowRight: () => move(STEP, 0),
    ArrowUp: () => move(0, -STEP),
    ArrowDown: () => move(0, STEP),
    '+': () => zoom(1 / ZOOM),
    '=': () => zoom(1 / ZOOM),
    '-': () => zoom(ZOOM),
    '0': fit,
  };

  return {
    frame,
    viewBox: `${view.x} ${view.y} ${size.width * view.scale} ${size.height * view.scale}`,
    nearer: () => zoom(1 / ZOOM),
    further: () => zoom(ZOOM),
    fit,
    handlers: {
      onKeyDown: (event: KeyboardEvent) => {
        if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in keys)) return;
        event.preventDefault();
        keys[event.key]();
      },
      onPointerDown: (event: PointerEvent<SVGSVGElement>) => {
        if (event.button !== 0 || (event.target as Element).closest('a')) return;
        dragged.current = { x: event.clientX, y: event.clientY };
        event.currentTarget.setPointerCapture(event.pointerId);
      },
      onPointerMove: (event: PointerEvent) => {
        if (!dragged.current) return;
        move(dragged.current.x - event.clientX, dragged.current.y - event.clientY);
        dragged.current = { x: event.clientX, y: event.clientY };
      },
      onPointerUp: () => {
        dragged.current = undefined;
      },
      onPointerCancel: () => {
        dragged.current = undefined;
      },
    },
  };
}
