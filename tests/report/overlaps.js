() => {
  // Text boxes that a reader sees: each is cut to what scrolls or hides it.
  const boxes = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.data.trim(), parent = walker.currentNode.parentElement;
    const shown = { contentVisibilityAuto: true, opacityProperty: true, visibilityProperty: true };
    if (!text || parent.closest("script, noscript, .skip") || !parent.checkVisibility(shown)) continue;
    const range = document.createRange();
    range.selectNodeContents(walker.currentNode);
    for (const line of range.getClientRects()) {
      let { left, right, top, bottom } = line;
      for (let at = parent; at; at = at.parentElement) {
        const style = getComputedStyle(at);
        if (!at.closest("svg") && style.clipPath !== "none") right = left; // for those who hear the page
        if (at.closest("svg") || style.overflowX === "visible") continue;
        const frame = at.getBoundingClientRect();
        left = Math.max(left, frame.left); right = Math.min(right, frame.right);
        top = Math.max(top, frame.top); bottom = Math.min(bottom, frame.bottom);
      }
      if (right - left > 1 && bottom - top > 1) boxes.push({ left, right, top, bottom, text });
    }
  }
  boxes.sort((a, b) => a.top - b.top);
  const overlaps = [];
  boxes.forEach((a, place) => {
    for (let next = place + 1; next < boxes.length && boxes[next].top < a.bottom; next++) {
      const b = boxes[next];
      const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      // Boxes of lines are higher than their letters: lines that are close share a few pixels.
      const lowest = Math.min(a.bottom - a.top, b.bottom - b.top);
      if (wide > 1 && high > 0.3 * lowest) overlaps.push(`${a.text} | ${b.text}`);
    }
  });
  return { overlaps, boxes: boxes.length, width: document.documentElement.scrollWidth };
}
