"""Files: an organization's files, from the form to upload one to its thumbnail and its text."""

from chassis.declare.service import Service, TableSpec
from contracts.files import v1 as files
from services.files.ports import Inspector, ObjectStore

service = Service(
    "files",
    api="services.files.api:router",
    table=TableSpec(indexes=1),
    subscriptions=(
        "services.files.uploads.consumers:objects",
        "services.files.processing.consumers:processing",
        "chassis.tenants.members:subscription",
    ),
    publishes=(
        files.AccessDenied,
        files.ApiKeyUsed,
        files.UploadRequested,
        files.FileUploaded,
        files.FileRejected,
        files.ThumbnailCreated,
        files.TextExtracted,
        files.FileProcessed,
        files.ProcessingFailed,
    ),
    ports={
        ObjectStore: "services.files.adapters.s3:make_object_store",
        Inspector: "services.files.adapters.inspector:make_inspector",
    },
    resources="services.files.stack:resources",
)
