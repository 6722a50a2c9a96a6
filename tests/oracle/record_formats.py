"""Small pictures in the formats of BMP, ICO and Netpbm, with the pixels that Pillow gives.

pip install pillow; python3 tests/oracle/record_formats.py, in the root of the repository.
"""
import io, json, base64, random
from PIL import Image
import PIL
random.seed(1)
W,H=5,3
rgb=[(random.randrange(256),random.randrange(256),random.randrange(256)) for _ in range(W*H)]
im=Image.new("RGB",(W,H)); im.putdata(rgb)
out={}
def add(name,img,fmt,**kw):
    b=io.BytesIO(); img.save(b,fmt,**kw); data=b.getvalue()
    back=Image.open(io.BytesIO(data)).convert("RGB")
    out[name]={"file":base64.b64encode(data).decode(),"width":back.width,"height":back.height,"rgb":list(back.tobytes())}
def raw(name,data):
    back=Image.open(io.BytesIO(data)).convert("RGB")
    out[name]={"file":base64.b64encode(data).decode(),"width":back.width,"height":back.height,"rgb":list(back.tobytes())}
add("bmp 24",im,"BMP"); add("bmp 8 grey",im.convert("L"),"BMP"); add("bmp 8 palette",im.convert("P",palette=Image.ADAPTIVE,colors=16),"BMP"); add("bmp 1",im.convert("1"),"BMP"); add("bmp 32",im.convert("RGBA"),"BMP")
add("ppm",im,"PPM"); add("pgm",im.convert("L"),"PPM"); add("pbm",im.convert("1"),"PPM")
raw("ppm text",b"P3\n# a comment\n5 3 255\n"+b"\n".join(b"%d %d %d"%p for p in rgb)+b"\n")
raw("pgm text",b"P2 3 2 # c\n15\n0 1 2\n13 14 15\n"); raw("pbm text",b"P1\n3 2\n1 0 1\n0 1 0\n")
raw("pgm 100",b"P5 2 2 100\n"+bytes([0,50,99,100])); raw("ppm 16",b"P6 2 1 65535\n"+bytes([0,0,128,0,255,255,1,2,3,4,5,6]))
add("ico",Image.new("RGB",(16,16),(9,200,77)),"ICO",sizes=[(16,16)])
add("ico bmp",im.resize((32,32)),"ICO",sizes=[(32,32)],bitmap_format="bmp")
json.dump({"made_by":"Pillow %s: Image.open(file).convert('RGB')"%PIL.__version__,"files":out},open("tests/golden/formats.json", "w"))
print(len(out))
