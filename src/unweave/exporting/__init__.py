"""Trained models as files that other programs run: ONNX, TorchScript, exported programs."""

from unweave.exporting.exporter import FORMATS, HALVES, Exported, check_export, export_model

__all__ = ["FORMATS", "HALVES", "Exported", "check_export", "export_model"]
