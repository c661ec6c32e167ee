// A photograph as it is sent: at most 1600 px a side, drawn anew, so that nothing the camera wrote in it comes along.
const SIDE_PX_MAX = 1600;

/** A small JPEG of the file's picture; the file as it is when the browser cannot read it: the server says why not. */
export const small = (file: Blob): Promise<Blob> => drawn(file).catch(() => file);

async function drawn(file: Blob): Promise<Blob> {
  const picture = await createImageBitmap(file);
  const share = Math.min(1, SIDE_PX_MAX / Math.max(picture.width, picture.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(picture.width * share);
  canvas.height = Math.round(picture.height * share);
  canvas.getContext("2d")!.drawImage(picture, 0, 0, canvas.width, canvas.height);
  return new Promise((done, failed) =>
    canvas.toBlob((blob) => (blob ? done(blob) : failed(new Error("no picture"))), "image/jpeg", 0.82),
  );
}
