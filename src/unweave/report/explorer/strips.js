// Pictures that were decoded ahead: a sheet for each start, a row for each control.
(function (explorer) {
  "use strict";

  // `draw(context, start, row, column)` puts a picture on the canvas.
  explorer.strips = async function (section, content) {
    const [height, width] = content.shape;
    const sheets = await Promise.all(
      content.sheets.map(async (source) => {
        const image = new Image();
        image.src = source;
        await image.decode();
        return image;
      }),
    );
    return (context, start, row, column) => {
      const place = row === null ? content.controls.length : row;
      context.imageSmoothingEnabled = false;
      context.drawImage(
        sheets[start], (row === null ? 0 : column) * width, place * height, width, height,
        0, 0, width, height,
      );
    };
  };
})((globalThis.unweaveExplorer ??= {}));
