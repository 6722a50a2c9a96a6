"""Lets ONNX's own checker look at every model that the tests export, shapes inferred, in every version of the operators.

pip install onnx; python3 tests/oracle/check_onnx.py, in the root of the repository.
"""
import pathlib
import subprocess
import sys
import tempfile

import onnx

with tempfile.TemporaryDirectory() as folder:
    subprocess.run(["deno", "run", "-A", "tests/oracle/export_onnx.ts", folder], check=True)
    files = sorted(pathlib.Path(folder).glob("*.onnx"))
    wrong = 0
    for file in files:
        try:
            onnx.checker.check_model(str(file), full_check=True)
            model = onnx.load(str(file))
            declared = {o.name: o.type for o in model.graph.output}
            inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
            assert {o.name: o.type for o in inferred.graph.output}.keys() == declared.keys()
            for x in model.graph.input:
                assert x.type.tensor_type.shape.dim[0].dim_param == "batch", x
        except Exception as error:  # every file is looked at
            wrong += 1
            print(f"{file.name}: {type(error).__name__}: {str(error).splitlines()[0]}")
    print(f"onnx {onnx.__version__}: {len(files)} models, {wrong} wrong")
    sys.exit(wrong > 0)
