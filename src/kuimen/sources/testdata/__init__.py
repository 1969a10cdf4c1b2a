"""Test data from a lender's own tables: plan, make, prove that nothing original is left, and only then hand over.

Works without an installation. Nothing is written before the plan is free of blockers, and nothing stays written when
the proof finds an original.
"""

from kuimen.sources.testdata.errors import (
    OriginalsLeftError,
    TestDataPlanError,
    TestDataSourceError,
    TestDataTargetError,
)
from kuimen.sources.testdata.planning import PlannedTable, TestDataPlan, build_plan
from kuimen.sources.testdata.proof import TestDataProof
from kuimen.sources.testdata.running import Place, TestDataReport, make_test_data, plan_test_data

__all__ = [
    "OriginalsLeftError",
    "Place",
    "PlannedTable",
    "TestDataPlan",
    "TestDataPlanError",
    "TestDataProof",
    "TestDataReport",
    "TestDataSourceError",
    "TestDataTargetError",
    "build_plan",
    "make_test_data",
    "plan_test_data",
]
