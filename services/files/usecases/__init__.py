"""What the service does, one file a use case."""

from services.files.usecases.confirm import confirm_upload
from services.files.usecases.process import process_file
from services.files.usecases.read import download, get_file, list_files, text, thumbnail
from services.files.usecases.request import request_upload

__all__ = [
    "confirm_upload",
    "download",
    "get_file",
    "list_files",
    "process_file",
    "request_upload",
    "text",
    "thumbnail",
]
