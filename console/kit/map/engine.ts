// The map itself: maplibre, loaded only where a map is shown. Needs no network: no tiles, no fonts, our own worker.
import { Map as MapLibre, NavigationControl, ScaleControl, setWorkerUrl, type GeoJSONSource } from "maplibre-gl";
import "maplibre-gl/dist/maplibre-gl.css";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";
import type { Pattern, Picked, Scene, Sources } from "./scene";

setWorkerUrl(workerUrl);

const PIXEL_RATIO = 2;
const PADDING_PX = 24;

/** A tile of diagonal lines that continues across its edges. */
function hatch(pattern: Pattern): ImageData {
  const side = (pattern.width_px + pattern.gap_px) * PIXEL_RATIO;
  const context = new OffscreenCanvas(side, side).getContext("2d")!;
  context.fillStyle = pattern.ground;
  context.fillRect(0, 0, side, side);
  context.strokeStyle = pattern.line;
  context.lineWidth = pattern.width_px * PIXEL_RATIO * Math.SQRT1_2;
  for (const shift of [-side, 0, side]) {
    context.beginPath();
    context.moveTo(shift - side, side * 2);
    context.lineTo(shift + side * 2, -side);
    context.stroke();
  }
  return context.getImageData(0, 0, side, side);
}

export class MapEngine {
  readonly #map: MapLibre;
  #scene: Scene;
  #sources: Sources = {};

  constructor(container: HTMLElement, scene: Scene, sources: Sources, onpick: (picked: Picked) => void) {
    this.#scene = scene;
    this.#map = new MapLibre({
      container,
      style: { version: 8, sources: {}, layers: [] },
      bounds: scene.bounds,
      fitBoundsOptions: { padding: PADDING_PX },
      attributionControl: false,
      dragRotate: false,
      pitchWithRotate: false,
      touchPitch: false,
      fadeDuration: 0,
      maxZoom: 21,
      interactive: !scene.still,
    });
    if (scene.still) this.#map.on("resize", () => this.fit());
    else this.#answer(onpick);
    this.show(scene, sources);
  }

  #answer(onpick: (picked: Picked) => void): void {
    this.#map.touchZoomRotate.disableRotation();
    this.#map.keyboard.disableRotation();
    this.#map.addControl(new NavigationControl({ showCompass: false }), "bottom-right");
    this.#map.addControl(new ScaleControl(), "bottom-left");
    this.#map.on("click", ({ point }) => onpick(this.#at(point)));
    this.#map.on("mousemove", ({ point }) => {
      this.#map.getCanvas().style.cursor = this.#at(point) ? "pointer" : "";
    });
  }

  /** Replace what is drawn (another shade, other layers); the view stays. */
  show(scene: Scene, sources: Sources): void {
    this.#scene = scene;
    this.#sources = sources;
    this.#map.setStyle(
      {
        version: 8,
        sources: Object.fromEntries(Object.entries(sources).map(([name, data]) => [name, { type: "geojson", data }])),
        layers: [
          { id: "background", type: "background", paint: { "background-color": scene.background } },
          ...scene.layers,
        ],
      },
      { diff: false },
    );
    this.#map.once("style.load", () => {
      if (this.#scene !== scene) return; // another one was shown before this one had loaded
      for (const pattern of scene.patterns)
        this.#map.addImage(pattern.name, hatch(pattern), { pixelRatio: PIXEL_RATIO });
      this.update(this.#sources);
    });
  }

  /** New contents of sources; those that are the same object stay as they are. */
  update(sources: Sources): void {
    for (const [name, features] of Object.entries(sources)) {
      if (this.#sources[name] === features) continue;
      this.#map.getSource<GeoJSONSource>(name)?.setData(features);
    }
    this.#sources = sources;
  }

  fit(): void {
    this.#map.fitBounds(this.#scene.bounds, { padding: PADDING_PX, animate: false });
  }

  /** Bring a place into view when it is outside. */
  reveal(lon: number, lat: number): void {
    if (!this.#map.getBounds().contains([lon, lat])) this.#map.jumpTo({ center: [lon, lat] });
  }

  close(): void {
    this.#map.remove();
  }

  #at(point: { x: number; y: number }): Picked {
    const layers = this.#scene.pickable.filter((layer) => this.#map.getLayer(layer));
    const found = this.#map.queryRenderedFeatures([point.x, point.y], { layers });
    for (const layer of layers) {
      const hit = found.find((feature) => feature.layer.id === layer);
      if (hit) return { layer, id: String(hit.properties["id"]) };
    }
    return null;
  }
}
