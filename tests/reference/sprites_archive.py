"""Files in the layout of the published dSprites file."""

import zipfile

import numpy as np


def published_arrays(space, images):
    """The arrays of the published file for a factor space; a colour stands before the factors."""
    indices = space.unravel(np.arange(space.size))
    # Everyone reads the metadata with pickles allowed, but for us.
    metadata = np.array({"title": "dSprites dataset", "version": 1}, dtype=object)
    return {
        "metadata": metadata,
        "imgs": images,
        "latents_classes": np.pad(indices, ((0, 0), (1, 0))),
        "latents_values": np.pad(space.values(indices), ((0, 0), (1, 0)), constant_values=1.0),
        "latents_bases": np.cumprod([1, *space.sizes[:0:-1], 1])[::-1],
    }


def write_npz(path, arrays, version=None):
    """Write arrays as `numpy.savez_compressed` does, with a choice of the header's version."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        for key, array in arrays.items():
            with file.open(f"{key}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asanyarray(array), version=version)
    return path
