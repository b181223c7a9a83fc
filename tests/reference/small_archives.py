"""Small files in the layouts of Cars3D, SmallNORB, CelebA, 3D Chairs and MNIST as published."""

from __future__ import annotations

import dataclasses
import gzip
import io
import struct
import tarfile
import zipfile

import numpy as np
from PIL import Image
from scipy.io import savemat

from reference.published import png
from unweave.data.files import celeba as celeba_file
from unweave.data.sets import cars3d, chairs3d, mnist, smallnorb
from unweave.factors import Factor, FactorSpace

__all__ = [
    "ATTRIBUTES",
    "SMALL_ARCHIVES",
    "attribute_table",
    "car_mat",
    "chair_members",
    "few_cars",
    "few_chairs",
    "few_faces",
    "few_pictures",
    "few_toys",
    "idx",
    "jpeg",
    "matrix",
    "smooth",
    "toy_tables",
    "write_cars",
    "write_faces",
    "write_idx",
    "write_tar",
    "write_toys",
    "write_zip",
]

ATTRIBUTES = (
    "5_o_Clock_Shadow Arched_Eyebrows Attractive Bags_Under_Eyes Bald Bangs Big_Lips Big_Nose "
    "Black_Hair Blond_Hair Blurry Brown_Hair Bushy_Eyebrows Chubby Double_Chin Eyeglasses Goatee "
    "Gray_Hair Heavy_Makeup High_Cheekbones Male Mouth_Slightly_Open Mustache Narrow_Eyes "
    "No_Beard Oval_Face Pale_Skin Pointy_Nose Receding_Hairline Rosy_Cheeks Sideburns Smiling "
    "Straight_Hair Wavy_Hair Wearing_Earrings Wearing_Hat Wearing_Lipstick Wearing_Necklace "
    "Wearing_Necktie Young"
)


def smooth(rng, *shape):
    """Random pictures of few waves, which survive a reduction and JPEG: shape (..., H, W, C)."""
    *rows, height, width, channels = shape
    coarse = rng.random((*rows, 5, 5, channels))
    y = np.linspace(0, 3.999, height)
    x = np.linspace(0, 3.999, width)
    i, j = y.astype(int), x.astype(int)
    u, v = (y - i)[:, None, None], (x - j)[:, None]
    top = coarse[..., i, :, :][..., j, :] * (1 - v) + coarse[..., i, :, :][..., j + 1, :] * v
    low = (
        coarse[..., i + 1, :, :][..., j, :] * (1 - v) + coarse[..., i + 1, :, :][..., j + 1, :] * v
    )
    return (255 * (top * (1 - u) + low * u)).round().astype(np.uint8)


def write_tar(path, members, mode="w"):
    """A tar of these members, (name, bytes), in this order."""
    with tarfile.open(path, mode) as file:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            file.addfile(info, io.BytesIO(content))
    return path


def write_zip(path, members, compression=zipfile.ZIP_STORED):
    """A zip of these members, (name, bytes), in this order."""
    with zipfile.ZipFile(path, "w", compression) as file:
        for name, content in members:
            file.writestr(name, content)
    return path


# --- Cars3D


def few_cars(patch, elevation=2, azimuth=3, cars=4):
    """Fewer values of each factor; file names and the rest of the layout stay."""
    sizes = (elevation, azimuth, cars)
    factors = zip(cars3d.SPACE.factors, sizes, strict=True)
    space = FactorSpace(tuple(Factor(factor.name, n, kind=factor.kind) for factor, n in factors))
    patch.setattr(cars3d, "SPACE", space)
    return space


def car_mat(views):
    """A MATLAB file of the views of one car, (elevation, azimuth, 128, 128, 3), and their mask."""
    stream = io.BytesIO()
    image = np.transpose(views, (2, 3, 4, 1, 0))
    mask = image[:, :, 0] < 250
    savemat(stream, {"im": image, "mask": mask}, do_compression=True)
    return stream.getvalue()


def car_members(cars):
    """The published members for cars, (car, elevation, azimuth, 128, 128, 3), in odd order."""
    numbers = [1, 2, 5, 10, 199][: len(cars)]
    names = [f"car_{number:03}_mesh" for number in numbers]
    files = [(f"data/cars/{name}.mat", car_mat(c)) for name, c in zip(names, cars, strict=True)]
    listing = ("data/cars/list.txt", "\n".join(names).encode())
    return [("data/sprites/a_01.mat", b"else"), *files[::-1], listing, ("data/shapes48.mat", b"")]


def write_cars(path, cars):
    """As published: a compressed tar with other datasets beside the cars."""
    return write_tar(path, car_members(cars), "w:gz")


# --- SmallNORB


def few_toys(patch, category=2, instance=(4, 6), elevation=2, azimuth=2, lighting=2):
    """Fewer values of each factor: half of the instances for training, the others for testing."""
    half = len(instance) // 2
    sizes = (category, len(instance), elevation, azimuth, lighting)
    halves = (tuple(range(half, 2 * half)), tuple(range(half)))
    factors = smallnorb.LAYOUT.space.factors
    space = FactorSpace(
        tuple(
            Factor(f.name, n, f.values and f.values[:n], f.kind, labels=f.labels and f.labels[:n])
            for f, n in zip(factors, sizes, strict=True)
        )
    )
    layout = dataclasses.replace(smallnorb.LAYOUT, space=space, halves=halves)
    patch.setattr(smallnorb, "LAYOUT", layout)
    return layout


_MAGIC = {"uint8": 0x1E3D4C55, "int32": 0x1E3D4C54, "float32": 0x1E3D4C51}


def matrix(array, magic=None, order="<"):
    """The bytes of a binary matrix: type, dimensions, at least three sizes, elements."""
    sizes = (*array.shape, 1, 1)[: max(3, array.ndim)]
    head = struct.pack(
        f"{order}Ii{len(sizes)}i", magic or _MAGIC[array.dtype.name], array.ndim, *sizes
    )
    return head + array.astype(array.dtype.newbyteorder(order)).tobytes()


def toy_tables(layout, rng):
    """Categories (N,) and poses (N, 4) of both halves, each combination once in a random order."""
    tables = []
    for instances in layout.halves:
        rows = [
            (c, (i, e, 2 * a, li))
            for c in range(layout.space.sizes[0])
            for i in instances
            for e in range(layout.space.sizes[2])
            for a in range(layout.space.sizes[3])
            for li in range(layout.space.sizes[4])
        ]
        order = rng.permutation(len(rows))
        category = np.array([rows[k][0] for k in order], np.int32)
        tables.append((category, np.array([rows[k][1] for k in order], np.int32)))
    return tables


def write_toys(folder, pictures, tables, packed=True):
    """The six files; `pictures` are (N, 2, 96, 96) of each half."""
    for file, array in zip(
        smallnorb.FILES,
        (pictures[0], *tables[0], pictures[1], *tables[1]),
        strict=True,
    ):
        content = matrix(array)
        if packed:
            (folder / file.name).write_bytes(gzip.compress(content, 1))
        else:
            (folder / file.name.removesuffix(".gz")).write_bytes(content)
    return folder


# --- CelebA


def few_faces(patch, images, identities=10_177):
    """Fewer photographs and people."""
    patch.setattr(celeba_file, "IMAGES", images)
    patch.setattr(celeba_file, "IDENTITIES", identities)


def jpeg(pixels, quality=95):
    """The bytes of a JPEG file."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def attribute_table(attributes, form="txt"):
    """The table of attributes, (N, 40) of 0 and 1, as published or as csv."""
    signs = 2 * np.asarray(attributes) - 1
    names = [f"{row + 1:06}.jpg" for row in range(len(signs))]
    if form == "csv":
        head = f"image_id,{','.join(ATTRIBUTES.split())}\n"
        return head + "".join(
            f"{name},{','.join(map(str, row))}\n" for name, row in zip(names, signs, strict=True)
        )
    # Columns are aligned by spaces, and names are followed by one.
    return f"{len(signs)}\n{ATTRIBUTES} \n" + "".join(
        f"{name} {' '.join(f'{sign:2d}' for sign in row)}\n"
        for name, row in zip(names, signs, strict=True)
    )


def write_faces(folder, photographs, attributes, identities=None):
    """As published: a zip and tables. Photographs are (N, 218, 178, 3) or the bytes of files."""
    files = [p if isinstance(p, bytes) else jpeg(p) for p in photographs]
    write_zip(
        folder / "img_align_celeba.zip",
        [(f"img_align_celeba/{row + 1:06}.jpg", content) for row, content in enumerate(files)],
    )
    (folder / "list_attr_celeba.txt").write_text(attribute_table(attributes))
    if identities is not None:
        lines = [f"{row + 1:06}.jpg {person}\n" for row, person in enumerate(identities)]
        (folder / "identity_CelebA.txt").write_text("".join(lines))
    return folder


# --- 3D Chairs


def few_chairs(patch, chairs=3, elevation=2, azimuth=4):
    """Fewer chairs and views."""
    first, second, third = chairs3d.SPACE.factors
    space = FactorSpace(
        (
            Factor(first.name, chairs, kind=first.kind),
            Factor(second.name, elevation, second.values[:elevation]),
            Factor(third.name, azimuth, third.values[:azimuth], third.kind),
        )
    )
    patch.setattr(chairs3d, "SPACE", space)
    return space


def chair_members(pictures):
    """Published names and bytes of pictures, (chair, elevation, azimuth, H, W, 3)."""
    chairs = ["1a2b87", "b663f1", "0f00aa", "ffe3c1", "9c0dd4"][: len(pictures)]
    members = [("rendered_chairs/all_chair_names.mat", b"names")]
    # Sorted names of chairs are in the order of the pictures; the tar is not sorted.
    for name, views in zip(sorted(chairs), pictures, strict=True):
        folder = f"rendered_chairs/{name}/renders"
        for elevation, row in enumerate(views):
            for azimuth, pixels in enumerate(row):
                number = 32 * elevation + azimuth
                degrees = int(360 * azimuth / 31)
                view = f"image_{number:03}_p{20 + 10 * elevation:03}_t{degrees:03}_r096.png"
                members.append((f"{folder}/{view}", png(pixels)))
    return members[:1] + members[:0:-1]


# --- MNIST and Fashion-MNIST


def few_pictures(patch, count):
    """Fewer pictures."""
    patch.setattr(mnist, "_COUNT", count)


def idx(array):
    """The bytes of an IDX file of unsigned bytes."""
    return (
        bytes((0, 0, 8, array.ndim))
        + struct.pack(f">{array.ndim}I", *array.shape)
        + (array.astype(np.uint8).tobytes())
    )


def write_idx(folder, pictures, classes):
    """The two files as published."""
    files = {"train-images-idx3-ubyte.gz": pictures, "train-labels-idx1-ubyte.gz": classes}
    for name, array in files.items():
        (folder / name).write_bytes(gzip.compress(idx(array), 1))
    return folder


# --- One small instance of each, for what holds of every dataset


def _cars(folder, patch):
    space = few_cars(patch)
    views = smooth(np.random.default_rng(0), 4, *space.sizes[:2], 128, 128, 3)
    return f"cars3d(path={str(write_cars(folder / 'cars.tar.gz', views))!r})"


def _toys(folder, patch):
    layout = few_toys(patch)
    rng = np.random.default_rng(0)
    tables = toy_tables(layout, rng)
    pictures = [smooth(rng, len(c), 2, 96, 96, 1)[..., 0] for c, _ in tables]
    return f"smallnorb(path={str(write_toys(folder, pictures, tables))!r})"


def _faces(folder, patch):
    # Four without any attribute, then one for each attribute that has it alone.
    attributes = np.concatenate([np.zeros((4, 40), int), np.eye(40, dtype=int)])
    few_faces(patch, len(attributes))
    photographs = smooth(np.random.default_rng(0), len(attributes), 218, 178, 3)
    return f"celeba(path={str(write_faces(folder, photographs, attributes))!r})"


def _chairs(folder, patch):
    space = few_chairs(patch)
    pictures = smooth(np.random.default_rng(0), *space.sizes, 120, 120, 3)
    path = write_tar(folder / "rendered_chairs.tar", chair_members(pictures))
    return f"chairs3d(path={str(path)!r})"


def _idx(name):
    def write(folder, patch):
        few_pictures(patch, 40)
        pictures = smooth(np.random.default_rng(0), 40, 28, 28, 1)[..., 0]
        write_idx(folder, pictures, np.arange(40) % 10)
        return f"{name}(path={str(folder)!r})"

    return write


SMALL_ARCHIVES = {
    "cars3d": _cars,
    "celeba": _faces,
    "chairs3d": _chairs,
    "fashion_mnist": _idx("fashion_mnist"),
    "mnist": _idx("mnist"),
    "smallnorb": _toys,
}
"""By the name of a dataset: writes a small archive to a folder and gives the dataset's text."""
