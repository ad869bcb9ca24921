"""The views for proofs, checkpoints and exports."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.http import StreamingHttpResponse
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from auth_audit.api.answers import CheckpointShape, ConsistencyShape, ProofShape
from auth_audit.api.bodies import CheckpointFilters, ExportBody
from auth_audit.api.permissions import MayExportTrail, MayReadTrail
from auth_audit.deliver import exports
from auth_audit.models import AuditEntry, Checkpoint
from auth_audit.search import search
from auth_audit.verify.proofs import Prover, proof_of
from auth_core.api.answers import page_of
from auth_core.api.bodies import NoFilters
from auth_core.api.pagination import page_response
from auth_core.api.views import ApiView, or_not_found
from auth_core.assurance.evidence import session_of
from auth_core.errors import NotFound


class ProofView(ApiView):
    """``GET audit/entries/{id}/proof/``: the inclusion proof of an entry."""

    answers = {"get": {200: ProofShape}}
    permission_classes = (IsAuthenticated, MayReadTrail)

    def get(self, request: Request, entry_id: UUID) -> Response:
        """Return the entry as it is hashed, with its path to the newest checkpoint."""
        NoFilters.parse_query(request)
        entry = or_not_found(AuditEntry.objects.filter(pk=entry_id).first())
        proof = proof_of(entry)
        return Response(
            {
                "entry": proof.entry,
                "number": proof.number,
                "path": proof.path,
                "checkpoint": proof.checkpoint,
                "state": proof.state.value,
            }
        )


class CheckpointListView(ApiView):
    """``GET audit/checkpoints/``: the signed checkpoints."""

    answers = {"get": {200: page_of(CheckpointShape)}}
    permission_classes = (IsAuthenticated, MayReadTrail)

    def get(self, request: Request) -> Response:
        """Return one page of checkpoints, newest first."""
        NoFilters.parse_query(request)
        return page_response(request, Checkpoint.objects.all(), _signed, ordering="-size")


class CheckpointView(ApiView):
    """``GET audit/checkpoints/{size}/?first=``: a checkpoint and its consistency with a smaller one."""

    filters = CheckpointFilters
    answers = {"get": {200: ConsistencyShape}}
    permission_classes = (IsAuthenticated, MayReadTrail)

    def get(self, request: Request, size: int) -> Response:
        """Return the checkpoint, with a consistency proof if *first* is given."""
        filters = CheckpointFilters.parse_query(request)
        checkpoint = Checkpoint.objects.filter(size=size).first()
        if checkpoint is None or (filters.first or 0) > size:
            raise NotFound
        prover = Prover()
        prover.checkpoint = checkpoint
        return Response({**checkpoint.signed, "consistency": prover.consistency(filters.first or 0)})


class ExportView(ApiView):
    """``POST audit/exports/``: all entries, or those that match the filters, as JSON lines or CSV."""

    bodies = {"post": ExportBody}
    answers = {"post": {(200, writer.content_type.partition(";")[0]): str for writer in exports.WRITERS.values()}}
    permission_classes = (IsAuthenticated, MayExportTrail)

    def post(self, request: Request) -> StreamingHttpResponse:
        """Stream the export. The export itself is recorded first."""
        body = ExportBody.parse(request)
        writer = exports.WRITERS[body.format]
        filters = {name: str(value) for name, value in body.validated_data.items() if name != "format"}
        session = session_of(request)
        lines = exports.export(
            entries=search(body),
            writer=writer,
            filters=filters,
            actor=request.user,
            session=session.id if session else None,
        )
        return _stream(lines, writer)


def _stream(lines: Iterator[str], writer: exports.Writer) -> StreamingHttpResponse:
    response = StreamingHttpResponse(lines, content_type=writer.content_type)
    response["Content-Disposition"] = f'attachment; filename="trail.{writer.extension}"'
    return response


def _signed(checkpoint: Checkpoint) -> dict[str, Any]:
    return checkpoint.signed
